import { stateOf } from '@workledger/infra/testing/linear/fake-linear.ts';
import { describe, expect, test } from 'vitest';
import { createReplyWorld } from '../replies/testing.ts';

const ID = '7d0b5f5e-0000-4000-8000-000000000007';

async function world(state = 'Todo') {
  const made = await createReplyWorld({ slack: 'C1/1.1', linear: 'ENG-7' });
  return { ...made, issue: made.linear.addIssue('ENG-7', ID, state) };
}

describe('a comment on an issue', () => {
  test('is written once, and told anew in its place, also where nobody remembers it', async () => {
    const { linear, tell, restart } = await world();
    const first = await tell('linear');
    expect(first).toMatchObject({ outcome: 'written', state: 'state-progress' });
    await restart();
    expect(await tell('linear', { text: 'Done.' })).toMatchObject({ outcome: 'updated', id: first.id });
    expect(linear.comments.map(({ body }) => body)).toEqual([
      expect.stringMatching(/^\*\*Workledger\*\*: Fix <add>\n\nDone\.\n\n\[The task\]\(https:/),
    ]);
    expect([linear.count('commentCreate'), linear.count('commentUpdate')]).toEqual([1, 1]);
  });

  test('whose answer was lost is looked for, and not written again', async () => {
    const { linear, tell } = await world();
    linear.fail('commentCreate', { kind: 'drop-after' });
    expect(await tell('linear')).toMatchObject({ outcome: 'written' });
    expect(linear.count('commentCreate')).toBe(1);
  });

  test('that somebody removed is not written again', async () => {
    const { linear, tell } = await world();
    const { id } = await tell('linear');
    linear.comments.length = 0;
    expect(await tell('linear', { known: id, text: 'Done.' })).toMatchObject({ outcome: 'gone' });
    expect(linear.count('commentCreate')).toBe(1);
  });
});

describe('an issue to which is attached what is told', () => {
  const urls = ['https://github.com/acme/shop/issues/12', 'https://github.com/acme/shop/pull/13'];
  const request = { place: urls[0]!, attachedTo: urls, about: 'task/linear' };

  test('is found by it, has one comment, and its state follows, whatever is attached later', async () => {
    const { issue, linear, tell, restart } = await world();
    linear.attachments.push({ url: urls[1]!, issueId: ID });
    const first = await tell('linear', request);
    expect(first).toEqual({ outcome: 'written', id: ID, state: 'state-progress' });
    await restart();
    expect(await tell('linear', request)).toEqual({ outcome: 'updated', id: ID, state: 'state-progress' });
    linear.attachments.unshift({ url: urls[0]!, issueId: linear.addIssue('ENG-8', 'other').id });
    await tell('linear', { ...request, known: first.id, state: first.state, text: 'Done.', stage: 'done' });
    expect(linear.comments).toMatchObject([{ issueId: ID, body: expect.stringContaining('Done.') }]);
    expect([issue.state.name, linear.count('commentCreate'), linear.count('issueUpdate')]).toEqual(['Done', 1, 2]);
  });

  test('is none: nothing is told, and that is no failure', async () => {
    const { linear, tell } = await world();
    expect(await tell('linear', request)).toEqual({ outcome: 'nowhere', id: null, state: null });
    expect([linear.comments.length, linear.count('attachmentsForURL')]).toEqual([0, 2]);
  });
});

describe("the issue's state", () => {
  test('follows the work, back, too, where nobody else moved it', async () => {
    const { issue, tell } = await world();
    let { state } = await tell('linear');
    for (const [stage, name] of [
      ['review', 'In Review'],
      ['started', 'In Progress'],
      ['failed', 'Todo'],
      ['started', 'In Progress'],
      ['done', 'Done'],
    ] as const) {
      ({ state } = await tell('linear', { stage, state }));
      expect(issue.state.name).toBe(name);
    }
  });

  test.each(['Backlog', 'In Review', 'Canceled'])('is left to a person who moved it to %s', async (moved) => {
    const { issue, tell, linear } = await world();
    const { state } = await tell('linear');
    issue.state = stateOf(moved);
    const next = await tell('linear', { stage: 'done', state });
    expect(issue.state.name).toBe(moved);
    await tell('linear', { stage: 'started', state: next.state });
    expect([issue.state.name, linear.count('issueUpdate')]).toEqual([moved, 1]);
  });

  test.each(['In Review', 'Done', 'Canceled'])('is not moved back from %s at the beginning', async (before) => {
    const { issue, tell, linear } = await world(before);
    const { state } = await tell('linear');
    await tell('linear', { stage: 'review', state });
    expect([issue.state.name, linear.count('issueUpdate')]).toEqual([before, 0]);
  });

  test('whose move was not seen to have happened is not moved again', async () => {
    const { linear, tell } = await world();
    linear.fail('issueUpdate', { kind: 'drop-after' });
    await tell('linear');
    expect((await tell('linear')).state).toBe('state-progress');
    expect(linear.count('commentCreate')).toBe(1);
  });
});

describe('what Linear refuses', () => {
  test('the login, and how to mend it', async () => {
    const { linear, tell } = await world();
    const extensions = { code: 'AUTHENTICATION_ERROR', type: 'authentication error' };
    linear.fail('comment', { kind: 'answer', answer: { body: { errors: [{ message: 'no', extensions }] } } });
    await expect(tell('linear')).rejects.toMatchObject({
      ...{
        retryable: false,
        failure: { reason: 'Linear refuses the login (no): give "linear" a token that is valid' },
      },
    });
  });

  test('an error within 200 is none of ours to read as an answer', async () => {
    const { linear, tell } = await world();
    const extensions = { code: 'INTERNAL_SERVER_ERROR', type: 'internal error' };
    linear.fail('commentCreate', {
      kind: 'answer',
      answer: { body: { data: null, errors: [{ message: 'oops', extensions }] } },
    });
    await expect(tell('linear')).rejects.toMatchObject({
      retryable: true,
      failure: { reason: 'Linear refuses it (oops)' },
    });
    expect(await tell('linear')).toMatchObject({ outcome: 'written' });
  });

  test('its limit, which comes with 400, is waited for elsewhere, and nothing is sent meanwhile', async () => {
    const { linear, tell } = await world();
    linear.quota.remaining = 0;
    await expect(tell('linear')).rejects.toMatchObject({ name: 'Postponed' });
    const before = linear.calls.length;
    await expect(tell('linear')).rejects.toMatchObject({ name: 'Postponed' });
    expect(linear.calls.length).toBe(before);
  });

  test('an issue that is not there', async () => {
    const { tell } = await world();
    await expect(tell('linear', { place: 'ENG-8' })).rejects.toMatchObject({ retryable: false });
  });
});
