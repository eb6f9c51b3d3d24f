import { createHmac } from 'node:crypto';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { describe, expect, test } from 'vitest';
import { github } from './github.ts';

const request = (text: string, headers: Readonly<Record<string, string | undefined>>) => ({
  headers,
  bytes: Buffer.from(text),
  mediaType: 'application/json',
  receivedAt: new Date(),
});
const signatureMatches = (text: string, header: string | undefined, secrets: readonly string[]): boolean =>
  github.verify(request(text, { 'x-hub-signature-256': header }), secrets) === null;

test('the vector of the GitHub documentation', () => {
  const header = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  expect(signatureMatches('Hello, World!', header, ["It's a Secret to Everybody"])).toBe(true);
});

test('the vector of octokit', () => {
  const header = 'sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3';
  expect(signatureMatches('{"foo":"bar"}', header, ['mysecret'])).toBe(true);
});

const sign = (text: string, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;

test('either of two active secrets will do', () => {
  for (const secret of ['old', 'new']) expect(signatureMatches('{}', sign('{}', secret), ['old', 'new'])).toBe(true);
});

test('another body, another secret, another form: no', () => {
  const good = sign('{}', 'secret');
  expect(signatureMatches('{} ', good, ['secret'])).toBe(false);
  expect(signatureMatches('{}', good, ['other'])).toBe(false);
  for (const header of [undefined, '', 'sha256=', good.slice(0, -1), good.slice(7), good.toUpperCase(), `${good}00`])
    expect(signatureMatches('{}', header, ['secret'])).toBe(false);
});

test('without a secret, or with an empty one, nothing matches', () => {
  expect(signatureMatches('{}', sign('{}', ''), [''])).toBe(false);
  expect(signatureMatches('{}', 'sha256=', [])).toBe(false);
});

describe('an issue', () => {
  const labeled = {
    action: 'labeled',
    repository: { full_name: 'acme/shop' },
    sender: { login: 'ada' },
    label: { name: 'workledger' },
    issue: {
      number: 12,
      title: 'Sum is slow',
      body: 'Make it fast.',
      state: 'open',
      html_url: 'https://github.com/acme/shop/issues/12',
      labels: [{ name: 'bug' }, { name: 'workledger' }],
      user: { login: 'eve' },
    },
  };
  const read = (payload: unknown, event = 'issues') => github.read(event, request(JSON.stringify(payload), {}));

  test('that got a label', () => {
    expect(read(labeled)).toEqual({
      action: 'labeled',
      repository: 'acme/shop',
      sender: 'ada',
      issue: {
        id: '12',
        name: 'issue #12',
        reference: 'acme/shop#12',
        url: 'https://github.com/acme/shop/issues/12',
        title: 'Sum is slow',
        body: 'Make it fast.',
        labels: ['bug', 'workledger'],
        author: 'eve',
        isOpen: true,
      },
      change: { kind: 'labeled', added: ['workledger'] },
    });
  });

  test('whose delivery says no more than it must', () => {
    const { number, title } = labeled.issue;
    expect(read({ ...labeled, label: null, issue: { number, title, state: 'closed', body: null } })).toMatchObject({
      issue: { url: null, body: '', labels: [], author: null, isOpen: false },
      change: { kind: 'labeled', added: [] },
    });
  });

  test.each([
    ['closed', { kind: 'closed' }],
    ['deleted', { kind: 'deleted' }],
    ['transferred', { kind: 'transferred' }],
    ['opened', { kind: 'other' }],
  ])('that was %s', (action, change) => {
    expect(read({ ...labeled, action })).toMatchObject({ action, change });
  });

  test('is not what pull requests are about, of which some are told to their tasks', () => {
    const pull_request = { number: 7, head: { ref: 'workledger/x' } };
    const pull = { number: 7, branch: 'workledger/x' };
    expect(read({ action: 'closed', pull_request }, 'pull_request')).toMatchObject({ pull });
    expect(read({ action: 'submitted', pull_request }, 'pull_request_review')).toMatchObject({ pull });
    const check_suite = { head_branch: 'workledger/x', pull_requests: [{ number: 7 }] };
    expect(read({ action: 'completed', check_suite }, 'check_suite')).toMatchObject({ pull });
    for (const [told, event] of [
      [{ action: 'closed', pull_request: { number: 'x' } }, 'pull_request'],
      [{ action: 'opened', pull_request }, 'pull_request'],
      [{ action: 'completed', check_suite: { head_branch: null, pull_requests: [] } }, 'check_suite'],
    ] as const)
      expect(read(told, event)).toMatchObject({ reason: `event ${event} starts no work` });
  });

  test('is not what an app is installed for, which is told as that', () => {
    const told = (event: string, action: string) => {
      const { reason, installation } = read({ action }, event) as { reason?: string; installation?: true };
      return [reason, installation];
    };
    for (const [event, action] of [
      ...[['installation', 'created'] as const, ['installation', 'deleted'] as const],
      ...[['installation_repositories', 'removed'] as const, ['installation_target', 'renamed'] as const],
      ...(['renamed', 'archived', 'unarchived', 'transferred', 'privatized', 'deleted', 'edited'] as const).map(
        (action) => ['repository', action] as const,
      ),
    ])
      expect(told(event, action)).toEqual([`event ${event} starts no work`, true]);
    expect(told('repository', 'created')).toEqual(['event repository starts no work', undefined]);
    expect(told('push', 'created')).toEqual(['event push starts no work', undefined]);
  });

  test('is answered about by a comment on it, or on the pull request of its task', () => {
    const told = {
      ...{ action: 'created', repository: { full_name: 'acme/shop' }, sender: { login: 'ada' } },
      ...{ issue: { number: 12 }, comment: { body: '@workledger approve' } },
    };
    const read = (payload: object) => github.read('issue_comment', request(JSON.stringify(payload), {}));
    expect(read(told)).toMatchObject({ sender: 'ada', answer: { issue: '12', taskId: null, verb: 'approve' } });
    const taskId = newId();
    const body = `Faster.\n<!-- workledger:begin task=${taskId} run=${newId()} -->`;
    const ours = { number: 13, pull_request: {}, body };
    expect(read({ ...told, issue: ours })).toMatchObject({ answer: { taskId, verb: 'approve', pullRequest: 13 } });
    for (const other of [
      { ...told, action: 'edited' },
      { ...told, issue: { number: 12, pull_request: {} } },
      { ...told, issue: ours, comment: { body: 'Fine. @workledger approve' } },
      { ...told, comment: { body: 'fine' } },
    ])
      expect(read(other)).toMatchObject({ reason: 'event issue_comment starts no work' });
  });
  test('may be a pull request of ours, of which a run hears at once what is to be changed', () => {
    const taskId = newId();
    const issue = {
      number: 13,
      state: 'open',
      pull_request: {},
      body: `<!-- workledger:begin task=${taskId} run=x -->`,
    };
    const told = { action: 'created', issue, comment: { id: 5, body: 'Hm. @workledger name it sum' } };
    const pull = { number: 13, branch: `workledger/${taskId}` };
    expect(read(told, 'issue_comment')).toMatchObject({ pull });
    const sendBack = { id: 6, body: '@workledger send-back It is slow.' };
    expect(read({ ...told, comment: sendBack }, 'issue_comment')).toMatchObject({ pull });
    const onLine = { ...told, issue: undefined, pull_request: { number: 13, head: { ref: `workledger/${taskId}` } } };
    expect(read(onLine, 'pull_request_review_comment')).toMatchObject({ pull });
    expect(read({ ...told, comment: { id: 7, body: '@workledger review' } }, 'issue_comment')).toMatchObject({
      review: { number: 13 },
    });
    for (const [other, event] of [
      [{ ...told, comment: { id: 8, body: 'name it sum' } }, 'issue_comment'],
      [{ ...told, issue: { ...issue, body: 'of somebody else' } }, 'issue_comment'],
      [{ ...told, action: 'edited' }, 'issue_comment'],
      [{ ...onLine, comment: { body: 'nice' } }, 'pull_request_review_comment'],
    ] as const)
      expect(read(other, event)).toMatchObject({ reason: `event ${event} starts no work` });
  });
  test('is not what other events are about', () => {
    expect(read({ zen: 'Design for failure.' }, 'ping')).toEqual({
      action: null,
      repository: null,
      sender: null,
      reason: 'ping: the webhook is set up',
    });
    expect(read(labeled, 'pull_request')).toEqual({
      action: 'labeled',
      repository: 'acme/shop',
      sender: 'ada',
      reason: 'event pull_request starts no work',
    });
  });
});
