import { newId } from '@workledger/shared/contexts/stream.ts';
import { callOf } from '@workledger/shared/workflows/callable.ts';
import { rateLimited } from '@workledger/infra/testing/slack/fake-slack.ts';
import { describe, expect, test } from 'vitest';
import { createReplyWorld } from '../replies/testing.ts';

const CHANNEL = 'C0123ABCD';
const ROOT = '1700000000.000001';

async function world() {
  const made = await createReplyWorld({ slack: `${CHANNEL}/${ROOT}`, linear: 'ENG-7' });
  made.slack.write(CHANNEL, 'U1', '<@UBOT> fix add');
  return made;
}

describe('a message in a thread', () => {
  test('is posted once, and told anew in its place', async () => {
    const { slack, tell } = await world();
    const first = await tell('slack');
    expect(first).toMatchObject({ outcome: 'written' });
    expect(await tell('slack', { known: first.id, text: 'Done.' })).toEqual({ ...first, outcome: 'updated' });
    expect(slack.ours().map(({ text, thread_ts }) => ({ text, thread_ts }))).toEqual([
      { text: expect.stringMatching(/^\*Fix &lt;add&gt;\*\nDone\.\n<https:/), thread_ts: ROOT },
    ]);
    expect([slack.count('chat.postMessage'), slack.count('chat.update')]).toEqual([1, 1]);
  });

  test('is found again, however long the thread is, where nobody remembers it', async () => {
    const { slack, tell, restart } = await world();
    slack.settings.mostPerPage = 2;
    for (const words of ['a', 'b', 'c']) slack.write(CHANNEL, 'U1', words, ROOT);
    const first = await tell('slack');
    await restart();
    expect(await tell('slack')).toEqual({ ...first, outcome: 'updated' });
    expect(slack.count('chat.postMessage')).toBe(1);
  });

  test('of a step of a workflow is posted once, plain, and found again where nobody remembers it', async () => {
    const { slack, tell, restart, run } = await world();
    const place = { repository: run.repository, channel: CHANNEL, thread: ROOT };
    const calling = { runId: run.taskId, step: 'say', undo: false, repositories: null };
    const say = (text: string) => {
      const { component, request } = callOf('slack.message', { ...place, text }, calling);
      expect(component).toBe('slack.tell');
      return tell('slack', request as object);
    };
    const first = await say('It is out, <!channel>');
    await restart();
    expect(await say('It is out, <!channel>')).toEqual({ ...first, outcome: 'updated' });
    expect(slack.ours().map(({ text, thread_ts }) => [text, thread_ts])).toEqual([
      ['It is out, &lt;!channel&gt;', ROOT],
    ]);
    expect(slack.count('chat.postMessage')).toBe(1);
  });

  test('whose answer was lost is looked for, and not posted again', async () => {
    const { slack, tell } = await world();
    slack.fail('chat.postMessage', { kind: 'drop-after' });
    expect(await tell('slack')).toMatchObject({ outcome: 'written' });
    expect(slack.count('chat.postMessage')).toBe(1);
  });

  test("of somebody else is not ours, whatever mark it has, and neither is another's name", async () => {
    const { slack, tell, run } = await world();
    const copied = { event_type: 'workledger', event_payload: { task: run.taskId, about: 'task' } };
    const ts = slack.write(CHANNEL, 'U2', 'copied', ROOT);
    Object.assign(
      slack.messages.find((each) => each.ts === ts)!,
      { metadata: copied },
    );
    expect(await tell('slack')).toMatchObject({ outcome: 'written' });
    expect(await tell('slack', { about: 'late/U2', to: 'T2/U2', stage: null })).toMatchObject({ outcome: 'written' });
    expect(slack.ours().at(-1)?.text).toBe('<@U2> An agent works on it.');
  });

  test('that somebody removed is not posted again', async () => {
    const { slack, tell } = await world();
    const { id } = await tell('slack');
    slack.messages.splice(1, 1);
    expect(await tell('slack', { known: id })).toMatchObject({ outcome: 'gone', id });
    expect(slack.count('chat.postMessage')).toBe(1);
  });

  test('of a command, which has no message, is in the channel itself', async () => {
    const { slack, tell, restart } = await world();
    const place = `${CHANNEL}/workledger-398738663015.47445629121.803a`;
    await tell('slack', { place });
    await restart();
    expect(await tell('slack', { place })).toMatchObject({ outcome: 'updated' });
    expect(slack.ours().map(({ thread_ts }) => thread_ts)).toEqual([undefined]);
  });

  test('is told in a channel of any length, and found again among its newest', async () => {
    const { slack, tell, restart } = await world();
    slack.settings.mostPerPage = 1;
    for (let each = 0; each < 12; each++) slack.write(CHANNEL, 'U1', 'something else');
    const place = CHANNEL;
    expect(await tell('slack', { place })).toMatchObject({ outcome: 'written' });
    slack.write(CHANNEL, 'U1', 'something else');
    await restart();
    expect(await tell('slack', { place })).toMatchObject({ outcome: 'updated' });
    expect([slack.count('chat.postMessage'), slack.ours()[0]?.thread_ts]).toEqual([1, undefined]);
  });

  test('has the emoji of its stage, and not that of another', async () => {
    const { slack, tell } = await world();
    const reactions = slack.messages[0]!.reactions;
    const { id } = await tell('slack');
    expect([...reactions]).toEqual(['eyes']);
    await tell('slack', { known: id, stage: 'done' });
    await tell('slack', { known: id, stage: 'done' });
    expect([...reactions]).toEqual(['tada']);
  });
});

describe('a question', () => {
  test('has its words as a quotation, a button for each choice, and none once it is answered', async () => {
    const { slack, tell, asked, questions } = await world();
    const questionId = newId();
    questions.set(questionId, asked);
    const about = `question/${questionId}`;
    const { id } = await tell('slack', { about, questionId, isOpen: true, stage: null, text: 'Its agent asks:' });
    const [message] = slack.ours();
    expect(message?.text).toContain('Its agent asks:\n> Which way, @all?\n> &lt;!channel&gt;\n');
    const buttons = message?.blocks.find(({ type }) => type === 'actions')?.elements;
    expect(buttons?.map(({ value }) => value.split('/').at(-1))).toEqual(['left', 'right']);
    await tell('slack', { about, questionId, known: id, stage: null, text: 'Answered: left.' });
    expect(slack.ours()[0]?.blocks.map(({ type }) => type)).toEqual(['section']);
  });

  test('of an approval has no button for what needs words', async () => {
    const { slack, tell, asked, questions } = await world();
    const questionId = newId();
    const commit = 'a'.repeat(40);
    const approval = { commit, base: commit, makers: [] };
    questions.set(questionId, { ...asked, choices: ['approve', 'send-back', 'refuse'], approval });
    await tell('slack', { about: `question/${questionId}`, questionId, isOpen: true, stage: null });
    const buttons = slack.ours()[0]?.blocks.find(({ type }) => type === 'actions')?.elements;
    expect(buttons?.map(({ value }) => value.split('/').at(-1))).toEqual(['approve', 'refuse']);
  });

  test('of another task is told nowhere', async () => {
    const { slack, tell, asked, questions } = await world();
    const questionId = newId();
    questions.set(questionId, { ...asked, taskId: newId() });
    expect(await tell('slack', { questionId })).toMatchObject({ outcome: 'gone', id: null });
    expect(slack.ours()).toEqual([]);
  });
});

describe('what Slack refuses', () => {
  test.each([
    ['invalid_auth', false, 'give "slack" a bot token that is valid'],
    ['channel_not_found', false, 'invite the app to the channel'],
    ['internal_error', true, 'Slack refuses chat.postMessage (internal_error)'],
  ])('%s', async (error, retryable, reason) => {
    const { slack, tell } = await world();
    slack.fail('chat.postMessage', { kind: 'answer', answer: { body: { ok: false, error } } });
    await expect(tell('slack')).rejects.toMatchObject({
      ...{ retryable, fault: 'origin', failure: { reason: expect.stringContaining(reason) } },
    });
  });

  test('for a scope names it, and posts nothing that it could not find again', async () => {
    const { slack, tell } = await world();
    slack.scopes.delete('channels:history');
    await expect(tell('slack')).rejects.toThrow('give the app the scope channels:history');
    expect(slack.count('chat.postMessage')).toBe(0);
  });

  test('for now is waited for as long as it says; what takes longer is given back, and nothing is sent meanwhile', async () => {
    const { slack, tell } = await world();
    slack.fail('chat.postMessage', { kind: 'answer', answer: rateLimited(1) });
    expect(await tell('slack')).toMatchObject({ outcome: 'written' });
    slack.fail('chat.update', { kind: 'answer', answer: rateLimited(60) });
    await expect(tell('slack')).rejects.toMatchObject({ name: 'Postponed' });
    const before = slack.calls.length;
    await expect(tell('slack')).rejects.toMatchObject({ name: 'Postponed' });
    expect(slack.calls.length).toBe(before);
  });

  test('without a login nothing is told', async () => {
    const { tell, restart } = await world();
    await restart(false);
    expect(await tell('slack')).toEqual({ outcome: 'off', id: null, state: null });
    expect(await tell('linear')).toEqual({ outcome: 'off', id: null, state: null });
  });
});
