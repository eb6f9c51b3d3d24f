import type { CommandContext } from '@workledger/shared/commands/port.ts';
import type { UserRole } from '@workledger/shared/contexts/agent/user/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, eventsOf, expectRefused, startWriteSide, typesOf, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

const timer = { kind: 'timer', id: 'rest', seconds: 1 };
const make = { kind: 'command', id: 'make', command: 'task.create', data: { title: 'x' } };

const operator = { actor: `key:${newId()}`, caller: { role: 'operator', teams: [] } } as const;
const define = async (steps: readonly object[], more: object = {}, as?: Partial<CommandContext>): Promise<string> => {
  const id = newId();
  await ask(side, 'workflow.define', id, { name: 'w', steps, ...more }, as ?? operator);
  return id;
};
const admitted = async (role: UserRole = 'operator'): Promise<{ userId: string; as: Partial<CommandContext> }> => {
  const userId = newId();
  await ask(side, 'user.create', userId, { name: 'Ada', role }, { actor: 'system' });
  return { userId, as: { actor: `user:${userId}`, caller: { role, teams: [] } } };
};
const start = async (workflowId: string, data: object = {}, as?: Partial<CommandContext>): Promise<string> => {
  const id = newId();
  await ask(side, 'workflow-run.start', id, { workflowId, ...data }, as ?? (await admitted()).as);
  return id;
};
const perform = (runId: string, data: object, round = 1) =>
  ask(
    side,
    'workflow-run.perform',
    runId,
    { step: 'make', round, undo: false, type: 'task.create', target: null, data: { title: 'x' }, ...data },
    { actor: `saga:saga-workflow-${runId}` },
  );

describe('a definition', () => {
  it('that cannot run is refused with every place, and nothing is written', async () => {
    const id = newId();
    const steps = [{ ...timer, after: ['none'] }, timer];
    const refusal = ask(side, 'workflow.define', id, { name: 'w', steps }, operator);
    await expect(refusal).rejects.toMatchObject({
      code: 'invalid-workflow',
      facts: {
        errors: [
          expect.objectContaining({ path: '/steps/1/id' }),
          expect.objectContaining({ path: '/steps/0/after/0' }),
        ],
      },
    });
    expect(await eventsOf(side.log, streamName('workflow', id))).toEqual([]);
  });
  it('names sub-workflows that are there, in versions that they have', async () => {
    const child = await define([timer]);
    const step = { kind: 'workflow', id: 'sub', workflow: child };
    await define([step]);
    await expectRefused(define([{ ...step, version: 2 }]), 'invalid-workflow');
    await expectRefused(define([{ ...step, workflow: newId() }]), 'invalid-workflow');
  });
});

describe('a sub-workflow', () => {
  const sub = (workflow: string, more: object = {}) => ({ kind: 'workflow', id: 'sub', workflow, ...more });
  const refused = async (steps: readonly object[], path: string, more: object = {}, as?: Partial<CommandContext>) =>
    expect(define(steps, more, as)).rejects.toMatchObject({
      ...{ code: 'invalid-workflow', facts: { errors: [expect.objectContaining({ path })] } },
    });

  it('is given what it takes', async () => {
    const child = await define([timer], { inputs: { n: { type: 'integer' } } });
    await refused([sub(child)], '/steps/0/inputs/n');
    await refused([sub(child, { inputs: { n: 'x' } })], '/steps/0/inputs/n');
    await refused([sub(child, { inputs: { n: 1, m: 1 } })], '/steps/0/inputs/m');
    const inputs = { n: { $from: '/inputs/t' } };
    await refused([sub(child, { inputs })], '/steps/0/inputs/n', { inputs: { t: { type: 'string' } } });
    await define([sub(child, { inputs })], { inputs: { t: { type: 'number' } } });
    // The version that it names is what counts.
    await ask(side, 'workflow.change', child, { name: 'w', steps: [timer] }, operator);
    await define([sub(child)]);
    await refused([sub(child, { version: 1 })], '/steps/0/inputs/n');
  });

  it('is one that begins, and that is there for whoever asks', async () => {
    const child = await define([timer], { repository: 'other' });
    const limited = { ...operator, repositories: ['sample'] };
    await refused([sub(child)], '/steps/0/workflow', { repository: 'sample' }, limited);
    await define([sub(child)]);
    await ask(side, 'workflow.retire', child, {}, operator);
    await refused([sub(child)], '/steps/0/workflow');
  });

  it('does not lead back to its own in any case; past a choice it may', async () => {
    const [first, second] = [await define([timer]), await define([timer])];
    const change = (id: string, steps: readonly object[]) =>
      ask(side, 'workflow.change', id, { name: 'w', steps }, operator);
    await expectRefused(change(first, [sub(first)]), 'invalid-workflow');
    await change(second, [timer, sub(first, { after: ['rest'] })]);
    await expect(change(first, [sub(second)])).rejects.toMatchObject({
      facts: { errors: [expect.objectContaining({ message: expect.stringContaining(`${first} → ${second} → ${first}`) })] }, // prettier-ignore
    });
    const choice = { kind: 'choice', id: 'again', cases: [{ choice: 'yes', when: 'run.id == "x"' }], otherwise: 'no' };
    await change(first, [choice, sub(second, { after: [{ step: 'again', choice: 'yes' }] })]);
    // An older version that does not lead back may be run.
    await change(first, [sub(first, { version: 1 })]);
  });

  it('is not deeper below its own than runs may be', async () => {
    let below = await define([timer]);
    for (let depth = 1; depth <= 8; depth++) below = await define([sub(below)]);
    await refused([sub(below)], '/steps/0/workflow');
  });
});

describe('a definition that names what is not configured', () => {
  const call = (component: string, request: object) => [{ kind: 'call', id: 'a', component, request }];
  const model = call('model.answer', { model: 'fast', prompt: 'x' });
  const host = call('http.request', { url: 'https://a.example/' });

  it('is refused, and taken where it is configured', async () => {
    const repository = [{ ...make, data: { title: 'x', repository: 'nowhere' } }];
    for (const steps of [model, host, repository]) await expectRefused(define(steps), 'invalid-workflow');
    const other = await side.another({
      models: [{ name: 'fast', inputUsd: 1, outputUsd: 1 }],
      workflows: { allowHosts: ['a.example:443'] },
    });
    for (const steps of [model, host])
      await other.send(
        { type: 'workflow.define', target: newId(), data: { name: 'w', steps } },
        { ...operator, correlationId: newId() },
      );
  });
});

describe('a run', () => {
  it('keeps the version that it began with', async () => {
    const workflowId = await define([timer]);
    const first = await start(workflowId);
    await ask(side, 'workflow.change', workflowId, { name: 'other', steps: [timer] }, operator);
    const second = await start(workflowId);
    const third = await start(workflowId, { version: 1 });
    const begun = async (id: string) => (await eventsOf(side.log, streamName('workflow-run', id)))[0]?.data;
    expect([await begun(first), await begun(second), await begun(third)]).toMatchObject([
      { version: 1, definition: { name: 'w' } },
      { version: 2, definition: { name: 'other' } },
      { version: 1, definition: { name: 'w' } },
    ]);
    await expectRefused(start(workflowId, { version: 3 }), 'out-of-range');
    await ask(side, 'workflow.retire', workflowId, {}, operator);
    await expectRefused(start(workflowId), 'illegal-transition');
  });
  it('is given what the workflow asks for', async () => {
    const workflowId = await define([timer], { inputs: { n: { type: 'integer' } } });
    await expectRefused(start(workflowId), 'invalid-content');
    await expectRefused(start(workflowId, { inputs: { n: 'x' } }), 'invalid-content');
    await start(workflowId, { inputs: { n: 1 } });
  });
});

describe('a run among agents', () => {
  const among = async (definition: object, participants: readonly string[], inputs: object = {}): Promise<string> => {
    const id = newId();
    const data = { definition: { name: 'w', steps: [timer], ...definition }, inputs, participants };
    await ask(side, 'workflow-run.start-defined', id, data, (await admitted()).as);
    return id;
  };
  const begun = async (id: string) => (await eventsOf(side.log, streamName('workflow-run', id)))[0]?.data;

  it('defines its workflow with what it is given, and has the agents as an input', async () => {
    const agentId = newId();
    await ask(side, 'agent.register', agentId, { name: 'one' });
    const steps = [{ ...make, data: { title: { $from: '/inputs/title' }, assignee: { $from: '/inputs/participants/0' } } }]; // prettier-ignore
    const id = await among({ steps }, [`agent:${agentId}`], { title: 'x', count: 2, none: null });
    const inputs = { title: 'x', count: 2, none: null, participants: [`agent:${agentId}`] };
    const run = (await begun(id)) as { workflowId: string };
    expect(run).toMatchObject({ inputs, version: 1, definition: { inputs: { title: { type: 'string' } } } });
    expect(await typesOf(side.log, streamName('workflow', run.workflowId))).toEqual(['WorkflowDefined']);
    const again = await start(run.workflowId, { inputs: { title: 'y', count: 1 }, participants: [`agent:${agentId}`] });
    expect(await begun(again)).toMatchObject({ inputs: { ...inputs, title: 'y', count: 1 } });
  });
  it('is refused whole where an agent is not there or it cannot run: nothing is written', async () => {
    const before = await side.log.head();
    await expectRefused(among({}, [`agent:${newId()}`]), 'unknown-reference');
    await expectRefused(among({}, [`user:${newId()}`]), 'unknown-reference');
    await expectRefused(among({ inputs: { n: { type: 'integer' } } }, []), 'invalid-content');
    await expectRefused(among({ steps: [{ ...timer, after: ['none'] }] }, []), 'invalid-workflow');
    const written: string[] = [];
    for await (const { type } of side.log.readAll({ after: before })) written.push(type);
    expect(written.filter((type) => type.startsWith('Workflow'))).toEqual([]);
  });
});

describe('the command of a step', () => {
  it('is sent as whoever started the run, once a round', async () => {
    const { as } = await admitted();
    const runId = await start(await define([make]), {}, as);
    const [first, again] = [await perform(runId, {}), await perform(runId, {})];
    expect(again).toEqual(first);
    const [event] = await eventsOf(side.log, streamName('task', first.id));
    expect(event?.metadata.actor).toBe(as.actor);
    expect((await perform(runId, {}, 2)).id).not.toBe(first.id);
  });
  it('is none that workflows do not send, and none beyond the role', async () => {
    const runId = await start(await define([make]));
    await expectRefused(perform(runId, { type: 'key.create', data: {} }), 'forbidden');
    await expectRefused(perform(runId, { type: 'workflow-run.perform', data: {} }), 'forbidden');
  });
  it('stays within the repositories of whoever started the run', async () => {
    const { as } = await admitted();
    const limited = { ...as, repositories: ['sample'] };
    const workflowId = await define([make], { repository: 'sample' });
    const runId = await start(workflowId, {}, limited);
    await expectRefused(perform(runId, { data: { title: 'x', repository: 'other' } }), 'unknown-repository');
    await perform(runId, { data: { title: 'x', repository: 'sample' } }, 2);
    await expectRefused(start(await define([make]), {}, limited), 'not-found');
  });
  it('is not sent for somebody who may do nothing any more, nor for a run that has ended', async () => {
    const { userId, as } = await admitted();
    const runId = await start(await define([make]), {}, as);
    await ask(side, 'workflow-run.cancel', runId, {}, as);
    await expectRefused(perform(runId, {}), 'illegal-transition');
    const other = await start(await define([make]), {}, as);
    await ask(side, 'user.suspend', userId, { reason: 'left' }, { actor: 'system' });
    await expectRefused(perform(other, {}), 'forbidden');
    expect(await typesOf(side.log, streamName('workflow-run', other))).toEqual(['WorkflowRunStarted']);
  });
  it('is refused at the start where the role may never send it', async () => {
    const workflowId = await define([make]);
    await expectRefused(
      start(workflowId, {}, { actor: `user:${newId()}`, caller: { role: 'agent', teams: [] } }),
      'forbidden',
    );
  });
});

describe('a question of a step', () => {
  it('is asked in the name of whoever started the run, and tells the run of its answer', async () => {
    const { as } = await admitted();
    const runId = await start(await define([timer]), {}, as);
    const questionId = newId();
    const data = { questionId, step: 'ask', askee: { kind: 'role', role: 'admin' }, text: 'x', choices: ['yes', 'no'] };
    await ask(side, 'workflow-run.ask', runId, data, { actor: `saga:saga-workflow-${runId}` });
    await ask(side, 'question.answer', questionId, { choice: 'yes' }, { caller: { role: 'admin', teams: [] } });
    const events = await eventsOf(side.log, streamName('question', questionId));
    expect(events.map(({ data }) => data)).toMatchObject([
      { runId, askedBy: as.actor, taskId: null },
      { runId, choice: 'yes', taskId: null },
    ]);
  });
});
