import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { linear } from './linear.ts';

const SECRET = 'lin_wh_test_secret';
const now = new Date('2026-11-28T12:00:00Z');
const request = (payload: unknown, headers: Readonly<Record<string, string>> = {}) => {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const signature = createHmac('sha256', SECRET).update(text).digest('hex');
  return {
    headers: { 'linear-signature': signature, ...headers },
    bytes: Buffer.from(text),
    mediaType: 'application/json',
    receivedAt: now,
  };
};
const sentAgo = (seconds: number) => request({ webhookTimestamp: now.getTime() - seconds * 1_000 });

describe('a delivery', () => {
  test('is verified as the reference has it', () => {
    const body = '{"action":"create","type":"Issue","webhookTimestamp":1700000000000}';
    const signature = 'bc8166452d75bb104f41b0c8b0f168b4d57cd224618779163f15a1f93cc87b30';
    const given = { ...request(body, { 'linear-signature': signature }), receivedAt: new Date(1_700_000_030_000) };
    expect(linear.verify(given, [SECRET])).toBeNull();
    expect(linear.verify(given, ['next', SECRET])).toBeNull();
    expect(linear.verify(given, ['next'])).toMatch('does not sign');
    expect(linear.verify(given, [])).toMatch('does not sign');
  });

  test.each([undefined, '', 'sha256=', `sha256=${'0'.repeat(64)}`, '0'.repeat(64), '0'.repeat(63)])(
    'with the signature %s is nobody’s',
    (signature) => {
      const given = request({ webhookTimestamp: now.getTime() });
      const headers = { ...given.headers, 'linear-signature': signature };
      expect(linear.verify({ ...given, headers }, [SECRET])).toMatch('does not sign');
    },
  );

  test('may come for the third time, seven hours later, and no later than is configured', () => {
    expect(linear.verify(sentAgo(7 * 3_600 + 60), [SECRET])).toBeNull();
    expect(linear.verify(sentAgo(8 * 3_600 + 1), [SECRET])).toMatch('too long ago');
    expect(linear.verify(sentAgo(61), [SECRET], 60)).toMatch('too long ago');
    expect(linear.verify(sentAgo(60), [SECRET], 60)).toBeNull();
    expect(linear.verify(sentAgo(-301), [SECRET])).toMatch('ahead of the clock');
  });

  test('is told apart by its header, whatever its case, and says when it was sent', () => {
    const id = randomUUID().toUpperCase();
    const given = request(
      { webhookTimestamp: now.getTime(), webhookId: 'the same for all' },
      { 'linear-event': 'Issue', 'linear-delivery': id },
    );
    expect(linear.identify(given)).toEqual({
      event: 'Issue',
      deliveryId: id.toLowerCase(),
      sentAt: '2026-11-28T12:00:00.000Z',
    });
  });
});

const team = { id: 't1', key: 'ENG', name: 'Engineering' };
const ada = { id: 'u1', name: 'Ada', email: 'ada@acme.example', type: 'user' };
const wanted = { id: 'l1', name: 'workledger', color: '#fff' };
const bug = { id: 'l2', name: 'bug', color: '#fff' };
const issue = {
  id: '7d0b5f5e-0000-4000-8000-000000000007',
  identifier: 'ENG-7',
  title: 'Sum is slow',
  description: 'Make it fast.',
  url: 'https://linear.app/acme/issue/ENG-7/sum-is-slow',
  team,
  teamId: 't1',
  state: { id: 's1', name: 'Todo', type: 'unstarted', color: '#fff' },
  labels: [bug, wanted],
  labelIds: ['l2', 'l1'],
  creator: { id: 'u2', email: 'eve@acme.example' },
  updatedAt: '2026-11-28T11:59:59.123Z',
};
const update = (updatedFrom: object, data: object = {}, rest: object = {}) => ({
  ...{ action: 'update', type: 'Issue', actor: ada, webhookTimestamp: now.getTime(), updatedFrom },
  data: { ...issue, ...data },
  ...rest,
});
const read = (payload: unknown, event = 'Issue') => linear.read(event, request(payload));
const changeOf = (payload: unknown) => {
  const signal = read(payload);
  return 'change' in signal ? signal.change : 'reason' in signal && signal.reason;
};
const asked = (by: string, ...names: string[]) => names.map((what) => ({ by, what }));

describe('an issue', () => {
  test('whose labels changed asks by those that were added', () => {
    expect(read(update({ labelIds: ['l2'] }))).toEqual({
      action: 'update',
      repository: 'ENG',
      places: ['ENG'],
      sender: 'ada@acme.example',
      senderNames: ['u1'],
      issue: {
        id: issue.id,
        name: 'issue ENG-7',
        reference: 'ENG-7',
        url: issue.url,
        title: 'Sum is slow',
        body: 'Make it fast.',
        labels: ['bug', 'workledger'],
        assignees: [],
        author: 'eve@acme.example',
        isOpen: true,
        updatedAt: '2026-11-28T11:59:59.123Z',
      },
      change: { kind: 'changed', asked: asked('label', 'workledger'), takenBack: [] },
    });
  });

  test('that is new asks by all that it has', () => {
    const data = { assignee: ada };
    expect(changeOf({ ...update({}, data), action: 'create', updatedFrom: undefined })).toEqual({
      kind: 'changed',
      asked: [...asked('label', 'bug', 'workledger'), ...asked('assignee', 'ada@acme.example', 'u1', 'Ada')],
      takenBack: [],
    });
  });

  test('that lost a label says so, though not which', () => {
    expect(changeOf(update({ labelIds: ['l2', 'l1'] }, { labels: [bug] }))).toEqual({
      kind: 'changed',
      asked: [],
      takenBack: [{ by: 'label', what: null }],
    });
  });

  test('is assigned, delegated, and taken back from who had it', () => {
    const delegate = { id: 'app', name: 'Workledger' };
    expect(changeOf(update({ delegateId: null }, { delegate }))).toMatchObject({
      asked: asked('assignee', 'app', 'Workledger'),
      takenBack: [],
    });
    expect(changeOf(update({ assigneeId: 'u9' }, { assignee: ada }))).toMatchObject({
      asked: asked('assignee', 'ada@acme.example', 'u1', 'Ada'),
      takenBack: [{ by: 'assignee', what: null }],
    });
  });

  test.each(['completed', 'canceled', 'duplicate'])('that is %s now is closed', (type) => {
    expect(changeOf(update({ stateId: 's1' }, { state: { type } }))).toEqual({ kind: 'closed' });
  });

  test('that was closed before, moved on, or had other fields changed asks for nothing', () => {
    expect(changeOf(update({ title: 'Sum' }, { state: { type: 'completed' } }))).toEqual({ kind: 'other' });
    expect(changeOf(update({ stateId: 's0' }))).toEqual({ kind: 'other' });
    expect(changeOf(update({ description: '' }))).toEqual({ kind: 'other' });
  });

  test('that was removed is deleted', () => {
    expect(changeOf({ ...update({}), action: 'remove' })).toEqual({ kind: 'deleted' });
  });

  test('of a project is found by its id, its name, and its team', () => {
    expect(read(update({}, { project: { id: 'p1', name: 'Search' } }))).toMatchObject({
      repository: 'ENG',
      places: ['ENG/p1', 'ENG/Search', 'ENG'],
    });
  });
});

describe('a comment', () => {
  const comment = (body: string, action = 'create') => ({
    ...{ action, type: 'Comment', actor: ada, webhookTimestamp: now.getTime(), url: `${issue.url}#comment-1` },
    data: {
      id: 'c1',
      body,
      issueId: issue.id,
      issue: { id: issue.id, identifier: 'ENG-7', title: 'Sum is slow', team },
    },
  });

  test('asks by whom it mentions', () => {
    expect(read(comment('@workledger: make it fast, as @eve said.'))).toMatchObject({
      repository: 'ENG',
      partIsUnknown: true,
      sender: 'ada@acme.example',
      issue: { id: issue.id, reference: 'ENG-7', title: 'Sum is slow', author: 'ada@acme.example' },
      change: { kind: 'changed', asked: asked('mention', 'workledger', 'eve'), takenBack: [] },
    });
  });

  test.each([
    ['> @workledger make it fast\n\nno'],
    ['`@workledger` is how one asks'],
    ['```\n@workledger\n```'],
    ['mail me@workledger.example'],
    ['nobody'],
  ])('that says %j mentions nobody', (body) => {
    expect(changeOf(comment(body))).toEqual({ kind: 'other' });
  });

  test('that is changed or removed asks for nothing', () => {
    for (const action of ['update', 'remove'])
      expect(changeOf(comment('@workledger', action))).toEqual({ kind: 'other' });
  });
});

describe('what starts nothing says why', () => {
  test.each([
    'Attachment',
    'AuditEntry',
    'Customer',
    'CustomerNeed',
    'Cycle',
    'Document',
    'Initiative',
    'InitiativeUpdate',
    'IssueLabel',
    'Project',
    'ProjectUpdate',
    'Reaction',
    'User',
    'IssueSLA',
    'OAuthApp',
    'AppUserNotification',
    'PermissionChange',
    'AgentSessionEvent',
    'OfTomorrow',
  ])('an event of type %s', (type) => {
    expect(read(update({}, {}, { type }), type)).toMatchObject({ reason: `event ${type} starts no work` });
  });

  test('a body that is none, that is about nothing, or that does not say when it was sent', () => {
    for (const body of ['', '[', '[]', '7']) expect(read(body)).toMatchObject({ reason: 'the body is not understood' });
    expect(read(update({}, { id: null }))).toMatchObject({ reason: 'it does not say which issue it is about' });
    expect(read({ ...update({ labelIds: [] }), webhookTimestamp: 'now' })).toMatchObject({
      reason: 'it does not say when it was sent',
    });
  });

  test('an issue behind the header of another event is what its body says', () => {
    expect(read(update({ labelIds: ['l2'] }), 'Comment')).toHaveProperty('change.kind', 'changed');
  });
});
