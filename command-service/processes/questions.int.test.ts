import type { CommandContext } from '@workledger/shared/commands/port.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { derivedId, idInRun, newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ask,
  claim,
  create,
  eventsOf,
  expectRefused,
  from,
  register,
  startWriteSide,
  typesOf,
  type WriteSide,
} from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

const as = (role: Role, more: Partial<CommandContext> = {}, teams: string[] = []): Partial<CommandContext> => ({
  caller: { role, teams },
  ...more,
});
const operator = { kind: 'role', role: 'operator' };
const commit = 'a'.repeat(40);
const report = { digest: 'e'.repeat(64), size: 1, mediaType: 'text/plain' };

async function held() {
  const [taskId, agentId] = [await create(side), await register(side)];
  return { taskId, agentId, claimId: await claim(side, taskId, agentId), agent: as('agent', from(`agent:${agentId}`)) };
}

const question = async (data: object, context: Partial<CommandContext> = as('operator')): Promise<string> => {
  const id = newId();
  await ask(side, 'question.ask', id, { askee: operator, text: 'Which greeting?', ...data }, context);
  return id;
};
const answer = (id: string, data: object, context: Partial<CommandContext> = as('operator')) =>
  ask(side, 'question.answer', id, data, context);

describe('a delivery', () => {
  const deliver = async (taskId: string, said: object = {}): Promise<string> => {
    const id = newId();
    const body = { digest: 'd'.repeat(64), size: 1, mediaType: 'application/json' };
    const received = { provider: 'slack', deliveryId: id, event: 'block_actions', action: null, repository: 'C1' };
    const outcome = {
      ...{ taskId, questionId: null, repository: 'sample', verb: 'answer', words: null },
      ...{ by: 'slack:U1', isTrusted: true, ...said },
    };
    await ask(side, 'delivery.receive', id, { received: { ...received, sender: 'U1', body }, outcome });
    return id;
  };
  const saga = { actor: 'saga:saga-replies-1' };
  const answering = async (questionId: string, deliveryId: string) =>
    ask(side, 'question.answer-delivery', questionId, { deliveryId }, saga);
  const about = async (data: object = {}) => {
    const { taskId, claimId, agent } = await held();
    return { taskId, id: await question({ taskId, claimId, ...data }, agent) };
  };

  it('answers as whoever it came from, by its own words', async () => {
    const { taskId, id } = await about();
    await answering(id, await deliver(taskId, { words: 'Good day.' }));
    const [, answered] = await eventsOf(side.log, `question-${id}`);
    expect(answered?.data).toMatchObject({ answeredBy: 'slack:U1', via: 'slack', choice: null, words: 'Good day.' });
    await expectRefused(answering(id, await deliver(taskId, { words: 'No.' })), 'already-answered');
  });
  it('answers by a choice that its words begin with, or that its button has', async () => {
    for (const [said, words] of [
      [{ words: 'To the Left, slowly' }, ', slowly'],
      [{ choice: 'to the left' }, null],
    ] as const) {
      const { taskId, id } = await about({ choices: ['to', 'to the left'] });
      await answering(id, await deliver(taskId, said));
      const [, answered] = await eventsOf(side.log, `question-${id}`);
      expect(answered?.data).toMatchObject({ choice: 'to the left', words });
    }
  });
  it('answers nothing for whom nobody trusts, of another task, by what is no choice, or for somebody else', async () => {
    const { taskId, id } = await about({ choices: ['left'] });
    await expectRefused(answering(id, await deliver(taskId, { words: 'left', isTrusted: false })), 'not-found');
    await expectRefused(answering(id, await deliver(newId(), { words: 'left' })), 'not-found');
    await expectRefused(answering(id, await deliver(taskId, { words: 'right' })), 'out-of-range');
    await expectRefused(answering(id, await deliver(taskId, { verb: 'approve' })), 'out-of-range');
    const other = await about({ askee: { kind: 'team', team: 'reviewers' } });
    await expectRefused(answering(other.id, await deliver(other.taskId, { words: 'yes' })), 'forbidden');
    expect(await typesOf(side.log, `question-${id}`)).toEqual(['QuestionAsked']);
  });
});

describe('an agent', () => {
  it('asks about the task that it holds; the question is of its repository', async () => {
    const { taskId, claimId, agent } = await held();
    const id = await question({ taskId, claimId }, agent);
    const [asked] = await eventsOf(side.log, `question-${id}`);
    expect(asked?.data).toMatchObject({ taskId, repository: 'sample', askedBy: agent.actor, runId: null });
  });
  it('not about another one, nor under a claim that is not its own, nor about none', async () => {
    const [own, other] = [await held(), await held()];
    await expectRefused(question({ taskId: other.taskId, claimId: own.claimId }, own.agent), 'claim-mismatch');
    await expectRefused(question({ taskId: other.taskId, claimId: other.claimId }, own.agent), 'forbidden');
    await expectRefused(question({ taskId: own.taskId }, own.agent), 'claim-mismatch');
    await expectRefused(question({}, own.agent), 'forbidden');
  });
});

describe('a question', () => {
  it('is about what there is', async () => {
    await expectRefused(question({ taskId: newId() }), 'unknown-reference');
    await expectRefused(question({ repository: 'nowhere' }), 'unknown-repository');
    const somebody = { kind: 'participant', participant: `key:${newId()}` };
    await expectRefused(question({ askee: somebody }), 'unknown-reference');
    const taskId = await create(side);
    await expectRefused(question({ taskId, repository: 'other' }), 'out-of-range');
    await ask(side, 'task.cancel', taskId);
    await expectRefused(question({ taskId }), 'illegal-transition');
  });
  it('is answered once, however many try at the same time', async () => {
    const id = await question({});
    const tries = Array.from({ length: 8 }, (_, number) =>
      answer(id, { words: `${number}` }).then(
        () => 1,
        () => 0,
      ),
    );
    const done = await Promise.all(tries);
    expect(done.reduce((sum, one) => sum + one, 0)).toBe(1);
    const words = String(done.indexOf(1));
    await expectRefused(answer(id, { words: 'later' }), 'already-answered', { answer: { words } });
    expect(await typesOf(side.log, `question-${id}`)).toEqual(['QuestionAsked', 'QuestionAnswered']);
  });
  it('answers the same to an answer that is sent again, also by another process', async () => {
    const id = await question({});
    const context = as('operator', { commandId: newId() });
    const first = await answer(id, { words: 'Hello' }, context);
    expect(await answer(id, { words: 'Hello' }, context)).toEqual(first);
    const commands = await side.another();
    expect(await ask({ commands }, 'question.answer', id, { words: 'Hello' }, context)).toEqual(first);
  });
  it('is for a team, and for administrators', async () => {
    const id = await question({ askee: { kind: 'team', team: 'web' } });
    await expectRefused(answer(id, { words: 'Hello' }, as('operator', {}, ['db'])), 'forbidden');
    await answer(id, { words: 'Hello' }, as('viewer', {}, ['web']));
    const other = await question({ askee: { kind: 'team', team: 'web' } });
    await answer(other, { words: 'Hello' }, as('admin'));
  });
  it('is not there for a key that is limited to other repositories', async () => {
    const limited = as('operator', { repositories: ['other'] });
    const id = await question({ taskId: await create(side) });
    await expectRefused(answer(id, { words: 'x' }, limited), 'not-found');
    await expectRefused(ask(side, 'question.withdraw', id, {}, limited), 'not-found');
    await expectRefused(question({ taskId: await create(side) }, limited), 'unknown-reference');
    await expectRefused(question({}, limited), 'unknown-repository');
    await question({ repository: 'other' }, limited);
  });
});

describe('a deadline', () => {
  it('has its effect when it has come, by the clock that set it, and not before', async () => {
    const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
    const late = { commands: await side.another({}, undefined, () => clock.now) };
    const id = newId();
    const deadline = { seconds: 60, then: { do: 'default', answer: 'Hello' } };
    await ask(late, 'question.ask', id, { askee: operator, text: 'Which?', deadline }, as('operator'));
    const at = '2026-01-01T00:01:00.000Z';
    const saga = from(`saga:saga-questions-${id}`);
    const meet = () => ask(late, 'question.meet-deadline', id, { at }, saga);
    clock.now += 59_999;
    expect((await meet()).details).toEqual({ dueAt: at });
    clock.now += 1;
    expect((await meet()).revision).toBe(1);
    expect((await meet()).revision).toBe(1);
    expect((await eventsOf(side.log, `question-${id}`)).at(-1)).toMatchObject({
      type: 'QuestionDefaulted',
      data: { words: 'Hello' },
    });
    await expectRefused(answer(id, { words: 'Hi' }), 'already-answered', {
      answer: { words: 'Hello', answeredBy: null },
    });
  });
});

describe('an approval', () => {
  const saga = (claimId: string) => from(`saga:saga-code-evolution-${claimId}`);

  /** Work that was submitted in an agent's name by `submitter`, whose approval is asked for. */
  async function awaiting(submitter?: Partial<CommandContext>) {
    const work = await held();
    const { taskId, claimId } = work;
    await ask(side, 'task.submit', taskId, { claimId, commit }, submitter ?? work.agent);
    return { ...work, ...(await askFor(work, 1)) };
  }
  async function askFor({ taskId, claimId }: { taskId: string; claimId: string }, number: number) {
    const questionId = derivedId('approval', taskId, commit, String(number));
    const data = { taskId, runId: claimId, askee: operator, commit, base: commit };
    const { details } = await ask(side, 'question.ask-approval', questionId, data, saga(claimId));
    return { questionId, stands: details['stands'] };
  }
  const answersOf = async (questionId: string) => (await eventsOf(side.log, `question-${questionId}`)).slice(1);

  it('is given by a command about its task, and stands for every later run', async () => {
    const work = await awaiting();
    expect(work.stands).toBe('asked');
    const { questionId, taskId, claimId } = work;
    expect((await eventsOf(side.log, `task-${taskId}`)).at(-1)).toMatchObject({
      type: 'TaskApprovalAsked',
      data: { claimId, questionId, commit },
    });
    const context = as('operator', { commandId: newId() });
    const first = await ask(side, 'task.approve', work.taskId, { commit }, context);
    expect(await ask(side, 'task.approve', work.taskId, { commit }, context)).toEqual(first);
    expect(await answersOf(work.questionId)).toMatchObject([{ data: { choice: 'approve', runId: work.claimId } }]);
    await expectRefused(ask(side, 'task.refuse', work.taskId, { words: 'no' }, as('admin')), 'already-answered');
    expect((await askFor({ ...work, claimId: work.claimId }, 1)).stands).toBe('approved');
  });
  it('is of one commit', async () => {
    const { taskId } = await awaiting();
    const other = { commit: 'b'.repeat(40) };
    await expectRefused(ask(side, 'task.approve', taskId, other, as('operator')), 'illegal-transition', { commit });
  });
  it('is refused to whoever made the work: the agent, and who submitted it in its name, administrators too', async () => {
    const submitter = as('admin', from(`key:${newId()}`));
    const { taskId, questionId, agent } = await awaiting(submitter);
    for (const maker of [agent, submitter])
      await expectRefused(answer(questionId, { choice: 'approve' }, maker), 'forbidden');
    await expectRefused(ask(side, 'task.approve', taskId, {}, submitter), 'forbidden');
    await ask(side, 'task.approve', taskId, {}, as('operator'));
  });
  it('is given by whoever retried the merge, who made nothing', async () => {
    const work = await awaiting();
    const run = work.claimId;
    const validation = idInRun(run, 'validation', '1');
    const about = { taskId: work.taskId, runId: run, repository: 'sample', commit, base: commit };
    await ask(side, 'validation.request', validation, { ...about, sendBackAllowed: false }, saga(run));
    await ask(side, 'validation.pass', validation, { report, protectedChanges: [] }, saga(run));
    await ask(side, 'question.withdraw', work.questionId, { reason: 'stopped' }, saga(run));
    await ask(side, 'task.cancel', work.taskId);
    const person = as('operator');
    await ask(side, 'task.retry', work.taskId, { from: 'merge' }, person);
    const claimed = (await eventsOf(side.log, `task-${work.taskId}`)).findLast(({ type }) => type === 'TaskClaimed');
    const { claimId } = claimed?.data as { claimId: string };
    const { questionId } = await askFor({ taskId: work.taskId, claimId }, 2);
    await expectRefused(answer(questionId, { choice: 'approve' }, work.agent), 'forbidden');
    await ask(side, 'task.approve', work.taskId, {}, person);
  });
  it('is nothing that every task waits for', async () => {
    const { taskId } = await held();
    for (const [type, data] of [
      ['task.approve', {}],
      ['task.refuse', { words: 'no' }],
      ['task.ask-changes', { words: 'no' }],
    ] as const)
      await expectRefused(ask(side, type, taskId, data, as('operator')), 'illegal-transition');
  });
  it('sends work back with words, which go from the question to the task and nowhere else', async () => {
    const { taskId, claimId, questionId } = await awaiting();
    const context = as('operator', { commandId: newId() });
    const first = await ask(side, 'task.ask-changes', taskId, { words: 'greet the world, too' }, context);
    const back = { claimId, reason: 'a person sent the work back', report: null, questionId };
    await ask(side, 'task.send-back', taskId, back, saga(claimId));
    expect((await eventsOf(side.log, `task-${taskId}`)).at(-1)).toMatchObject({
      type: 'TaskSentBack',
      data: { reason: back.reason, words: 'greet the world, too', by: expect.stringMatching(/^key:/) },
    });
    // The same command again finds what it did, though the task has gone on, and failed.
    await ask(side, 'task.cancel', taskId);
    expect(await ask(side, 'task.ask-changes', taskId, { words: 'greet the world, too' }, context)).toEqual(first);
    expect((await typesOf(side.log, `task-${taskId}`)).at(-1)).toBe('TaskCancelled');
    const other = await create(side);
    await expectRefused(ask(side, 'task.send-back', other, back, saga(claimId)), 'unknown-reference');
  });
  it('is asked anew of another run when it was not given', async () => {
    const work = await awaiting();
    await ask(side, 'question.withdraw', work.questionId, { reason: 'stopped' }, saga(work.claimId));
    expect((await askFor(work, 1)).stands).toBe('over');
    expect((await askFor(work, 2)).stands).toBe('asked');
  });
});

it('a task that failed begins anew with the words of a person, once a command', async () => {
  const taskId = await create(side);
  await ask(side, 'task.cancel', taskId);
  const context = as('operator', { commandId: newId() });
  const first = await ask(side, 'task.ask-changes', taskId, { words: 'shorter' }, context);
  expect(await ask(side, 'task.ask-changes', taskId, { words: 'shorter' }, context)).toEqual(first);
  expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated', 'TaskCancelled', 'TaskRetried']);
});
