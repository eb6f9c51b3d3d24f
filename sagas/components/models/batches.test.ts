import { expect, it } from 'vitest';
import type { AnswerKey, KeptAnswer } from './answers.ts';
import { createBatches, partsOf, type Batch, type Part } from './batches.ts';

const keyOf = (name: string): AnswerKey => ({ scope: name, digest: name, number: 0 });
const answer = (content: string, finish = 'stop'): KeptAnswer => ({
  text: JSON.stringify({ choices: [{ finish_reason: finish, message: { content } }] }),
  ...{ inputTokens: 100, outputTokens: 50, costUsd: 1 },
});
const request = (content: string, system = 'be brief') => ({
  temperature: 0.1,
  messages: [
    { role: 'system', content: system },
    { role: 'user', content },
  ],
});
const saidIn = ({ answer: kept }: Part): string | null =>
  kept === null
    ? null
    : (JSON.parse(kept.text) as { choices: [{ message: { content: string } }] }).choices[0].message.content;

function world(say: (batch: Batch) => KeptAnswer, { most = 5, waitMilliseconds = 20 } = {}) {
  const kept: Batch[] = [];
  const asked: Batch[] = [];
  const store = {
    find: async (key: AnswerKey) =>
      kept.find(({ members }) => members.some((one) => one.key.scope === key.scope)) ?? null,
    keep: async (batch: Batch) => void kept.push(batch),
  };
  const batches = createBatches(store, async (batch) => {
    asked.push(batch);
    return say(batch);
  });
  const join = (name: string, more: { system?: string; together?: string; content?: string } = {}) =>
    batches.join(
      'fast',
      { most, waitMilliseconds },
      {
        ...{ key: keyOf(name), together: more.together ?? 'sample' },
        request: request(more.content ?? `do ${name}`, more.system),
      },
    );
  return { kept, asked, join };
}
const echo = ({ members }: Batch): KeptAnswer =>
  answer(members.map(({ content }, index) => `=== ANSWER ${index + 1}\ndone: ${content}`).join('\n\n'));

it('puts small requests that come at the same time into one, and gives each its own answer and its share', async () => {
  const { asked, join } = world(echo);
  const all = await Promise.all(['a', 'b', 'c'].map((name) => join(name)));
  expect(asked).toHaveLength(1);
  expect(all.map(saidIn)).toEqual(['done: do a', 'done: do b', 'done: do c']);
  expect(all.reduce((sum, one) => sum + (one.answer?.costUsd ?? 0), 0)).toBeCloseTo(1);
  expect(asked[0]?.request.messages[1]?.content).toBe(
    '=== REQUEST 1\ndo a\n\n=== REQUEST 2\ndo b\n\n=== REQUEST 3\ndo c',
  );
});

it('asks at once when there are as many as go into one', async () => {
  const { asked, join } = world(echo, { most: 2, waitMilliseconds: 60_000 });
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => join(name)));
  expect(asked.map(({ members }) => members.length)).toEqual([2, 2]);
});

it('leaves alone what is alone, what is large, and what is of another kind or repository', async () => {
  const { asked, join } = world(echo);
  const all = [
    ...[join('a'), join('b', { together: 'another' }), join('c', { system: 'be long' })],
    join('d', { content: 'x'.repeat(9_000) }),
  ];
  expect(await Promise.all(all)).toEqual(all.map(() => ({ answer: null, lost: null })));
  expect(asked).toEqual([]);
});

it('asks the same batch again after a kill, whoever of it comes first', async () => {
  const { kept, asked, join } = world(echo);
  await Promise.all([join('a'), join('b')]);
  expect(saidIn(await join('b'))).toBe('done: do b');
  expect(asked[1]?.id).toBe(asked[0]?.id);
  expect(kept).toHaveLength(1);
});

it.each([
  ['=== ANSWER 2\nonly b', [null, 'only b']],
  ['no form at all', [null, null]],
  ['=== ANSWER 1\none\n=== ANSWER 1\ntwo\n=== ANSWER 2\nb', [null, 'b']],
])('has those asked alone whose answer is missing in %j', (said, parts) => {
  const members = ['a', 'b'].map((name) => ({ key: keyOf(name), content: name }));
  expect(partsOf({ members }, answer(said)).map(saidIn)).toEqual(parts);
});

it.each([
  ['=== ANSWER 2\nonly b', [null, null]],
  [
    'no form at all',
    [
      { inputTokens: 50, outputTokens: 25, costUsd: 0.5 },
      { inputTokens: 50, outputTokens: 25, costUsd: 0.5 },
    ],
  ],
])('charges all that was paid to somebody, in %j, too', (said, lost) => {
  const members = ['a', 'b'].map((name) => ({ key: keyOf(name), content: name }));
  const parts = partsOf({ members }, answer(said));
  expect(parts.map((part) => part.lost)).toEqual(lost);
  const all = parts.map((part) => part.answer ?? part.lost);
  expect(all.reduce((sum, one) => sum + (one?.costUsd ?? 0), 0)).toBe(1);
});

it('takes nothing that was cut off', () => {
  const members = ['a', 'b'].map((name) => ({ key: keyOf(name), content: name }));
  expect(partsOf({ members }, answer('=== ANSWER 1\na\n=== ANSWER 2\nhal', 'length')).map(saidIn)).toEqual(['a', null]);
});

it('fails all of it when the model does', async () => {
  const { join } = world(() => {
    throw new Error('the model is away');
  });
  const all = await Promise.allSettled([join('a'), join('b')]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
