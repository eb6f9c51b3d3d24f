import { afterAll, beforeAll, expect, it } from 'vitest';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { idInRun } from '@workledger/shared/contexts/stream.ts';
import { ask, claim, create, eventsOf, expectRefused, from, register, startWriteSide, typesOf } from './testing.ts';
import { noBudgets } from './spending.ts';
import type { WriteSide } from './testing.ts';

let side: WriteSide;
let agentId: string;
beforeAll(async () => {
  side = await startWriteSide();
  agentId = await register(side, { runtime: 'command' });
});
afterAll(() => side.close());

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
const saga = from('saga:test');
const reference = { digest: 'e'.repeat(64), size: 1, mediaType: 'text/plain' };
const failure = { step: 'merge', reason: 'refused', command: null, exitCode: null, lastLines: [], log: null };

/** A run of a task that generated `commit`, had it judged, and failed. */
async function failedRun(taskId: string, commit: string, verdict: 'passed' | 'failed' | null): Promise<string> {
  const claimId = await claim(side, taskId, agentId);
  const run = { taskId, runId: claimId, repository: 'sample' };
  const generation = idInRun(claimId, 'generation', '1');
  const attempt = { attempt: 1, strategy: agentId };
  const asked = { ...run, base: A, prompt: null, strategies: [agentId] };
  await ask(side, 'generation.request', generation, asked, saga);
  await ask(side, 'generation.start-attempt', generation, attempt, saga);
  const made = { diffStat: { files: 1, insertions: 1, deletions: 0 }, diff: reference, output: reference };
  const succeeded = { ...attempt, ...made, commit, costUsd: 1, durationMs: 1 };
  await ask(side, 'generation.succeed', generation, succeeded, saga);
  if (verdict !== null) {
    const validation = idInRun(claimId, 'validation', '1');
    await ask(side, 'validation.request', validation, { ...run, commit, base: A, sendBackAllowed: false }, saga);
    if (verdict === 'passed')
      await ask(side, 'validation.pass', validation, { report: reference, protectedChanges: [] }, saga);
    else await ask(side, 'validation.fail', validation, { failure, protectedChanges: [] }, saga);
  }
  await ask(side, 'task.fail', taskId, { claimId, failure }, saga);
  await ask(side, 'agent.release', agentId, { claimId, reason: 'failed' }, saga);
  return claimId;
}

const claims = async (taskId: string) =>
  (await eventsOf(side.log, `task-${taskId}`)).flatMap(({ type, data }) =>
    type === 'TaskClaimed'
      ? [data as { claimId: string; commit?: string; base?: string; from?: string; budget?: object }]
      : [],
  );

it('from merge, a task goes on with the newest commit that passed its tests, at once and under a claim of its own', async () => {
  const taskId = await create(side);
  await failedRun(taskId, B, 'passed');
  await ask(side, 'task.retry', taskId);
  await failedRun(taskId, C, 'failed');
  const retry = () => ask(side, 'task.retry', taskId, { from: 'merge', reason: 'again' }, { commandId: RETRY });
  const answer = await retry();
  expect((await typesOf(side.log, `task-${taskId}`)).slice(-3)).toEqual([
    'TaskRetried',
    'TaskClaimed',
    'TaskWorkSubmitted',
  ]);
  const [first, second, third] = await claims(taskId);
  expect(third).toMatchObject({ from: 'merge', commit: B, base: A, agentId, runtime: 'command', leaseSeconds: 60 });
  expect(new Set([first?.claimId, second?.claimId, third?.claimId]).size).toBe(3);

  // The same command again answers the same, and nobody's lease is looked at while it is judged.
  expect(await retry()).toEqual(answer);
  expect(await claims(taskId)).toHaveLength(3);
  const lease = await ask(side, 'task.expire-claim', taskId, { claimId: third?.claimId }, from('system'));
  expect(lease.revision).toBe(answer.revision);

  // No place of the agent was taken: giving it back changes nothing.
  const before = (await eventsOf(side.log, `agent-${agentId}`)).length;
  await ask(side, 'agent.release', agentId, { claimId: third?.claimId, reason: 'over' }, saga);
  expect(await eventsOf(side.log, `agent-${agentId}`)).toHaveLength(before);

  // The run that went on failed, too: what it went on with is not forgotten.
  await ask(side, 'task.fail', taskId, { claimId: third?.claimId, failure }, saga);
  await ask(side, 'task.retry', taskId, { from: 'merge' });
  expect((await claims(taskId)).at(-1)).toMatchObject({ from: 'merge', commit: B, base: A });
});
const RETRY = '0190a000-0000-7000-8000-0000000000aa';

it('from validate or evolve, it goes on with what was made last', async () => {
  const taskId = await create(side);
  await failedRun(taskId, B, 'passed');
  await ask(side, 'task.retry', taskId);
  const claimId = await failedRun(taskId, C, null);
  await ask(side, 'task.retry', taskId, { from: 'evolve' });
  const [, , evolving] = await claims(taskId);
  expect(evolving).toMatchObject({ from: 'evolve', commit: C, base: A });
  expect(evolving?.claimId).not.toBe(claimId);
  await ask(side, 'task.cancel', taskId, {});
  await ask(side, 'task.retry', taskId, { from: 'validate' });
  expect((await claims(taskId)).at(-1)).toMatchObject({ from: 'validate', commit: C, base: A });
});

it('it goes on within the budget of its task, and with what earlier runs spent of it, as any claim does', async () => {
  const taskId = await create(side);
  await failedRun(taskId, B, 'passed');
  const asked: unknown[] = [];
  const limited = await side.another({}, undefined, undefined, {
    ...noBudgets,
    ofTask: async (...what) => {
      asked.push(what);
      return { limitUsd: 2, spentUsd: 1 };
    },
  });
  const budgets = async () => (await claims(taskId)).map(({ budget }) => budget);
  await ask({ commands: limited }, 'task.retry', taskId, { from: 'evolve' });
  expect(asked).toEqual([[taskId, 'sample']]);
  expect(await budgets()).toEqual([undefined, { limitUsd: 2, spentUsd: 1 }]);
  await ask(side, 'task.cancel', taskId, {});
  await ask(side, 'task.retry', taskId, { from: 'evolve' });
  expect((await budgets()).at(-1)).toBeUndefined();
});

it('from evolve it starts agents, so that it waits for a day with money; from later steps it does not', async () => {
  const taskId = await create(side);
  await failedRun(taskId, B, 'passed');
  const spent = await side.another({}, undefined, undefined, {
    ...noBudgets,
    demand: async (repository) => void refuse('blocked', `the day's budget of ${repository} is spent`),
  });
  const before = (await eventsOf(side.log, `task-${taskId}`)).length;
  await expectRefused(ask({ commands: spent }, 'task.retry', taskId, { from: 'evolve' }), 'blocked');
  expect(await eventsOf(side.log, `task-${taskId}`)).toHaveLength(before);
  await ask({ commands: spent }, 'task.retry', taskId, { from: 'merge' });
  expect((await claims(taskId)).at(-1)).toMatchObject({ from: 'merge' });
});

it('where nothing can go on from there, the refusal names the steps that can, and changes nothing', async () => {
  const taskId = await create(side);
  await failedRun(taskId, B, 'failed');
  const revision = (await eventsOf(side.log, `task-${taskId}`)).length;
  await expectRefused(ask(side, 'task.retry', taskId, { from: 'merge' }), 'illegal-transition', {
    possible: ['generate', 'evolve', 'validate'],
  });
  expect(await eventsOf(side.log, `task-${taskId}`)).toHaveLength(revision);

  const untouched = await create(side);
  await expectRefused(ask(side, 'task.retry', untouched, { from: 'merge' }), 'illegal-transition', {
    status: 'pending',
  });
  await ask(side, 'task.cancel', untouched, {});
  await expectRefused(ask(side, 'task.retry', untouched, { from: 'validate' }), 'illegal-transition', {
    possible: ['generate'],
  });
});

it('looks at the newest claims only, however often a task was claimed', async () => {
  const taskId = await create(side);
  await failedRun(taskId, B, 'passed');
  for (let time = 0; time < 11; time++) {
    await ask(side, 'task.retry', taskId);
    const claimId = await claim(side, taskId, agentId);
    await ask(side, 'task.fail', taskId, { claimId, failure }, saga);
    await ask(side, 'agent.release', agentId, { claimId, reason: 'failed' }, saga);
  }
  let read = 0;
  const counting = await side.another({}, (log) => ({
    ...log,
    readStream: (stream, options) => {
      if (!stream.startsWith('task-')) read++;
      return log.readStream(stream, options);
    },
  }));
  await expectRefused(ask({ commands: counting }, 'task.retry', taskId, { from: 'merge' }), 'illegal-transition');
  expect(read).toBe(20);
});
