import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { slack } from './slack.ts';

const FORM = 'application/x-www-form-urlencoded';
const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const now = new Date('2026-11-28T12:00:00Z');
const SECONDS = now.getTime() / 1_000;

const request = (
  text: string,
  { mediaType = 'application/json', timestamp = String(SECONDS), signature = '' } = {},
) => {
  const hex = createHmac('sha256', SECRET).update(`v0:${timestamp}:${text}`).digest('hex');
  return {
    headers: { 'x-slack-signature': signature || `v0=${hex}`, 'x-slack-request-timestamp': timestamp },
    bytes: Buffer.from(text),
    mediaType,
    receivedAt: now,
  };
};
const json = (value: unknown) => request(JSON.stringify(value));
const form = (fields: Record<string, string>) => request(String(new URLSearchParams(fields)), { mediaType: FORM });

describe('a request', () => {
  test('is verified as Slack’s own vector has it', () => {
    const text =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar' +
      '&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com' +
      '%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
    const given = {
      ...request(text, { mediaType: FORM, timestamp: '1531420618', signature }),
      receivedAt: new Date(1_531_420_700_000),
    };
    expect(slack.verify(given, ['next', SECRET])).toBeNull();
    expect(slack.verify(given, ['next'])).toMatch('does not sign');
    expect(slack.verify({ ...given, receivedAt: new Date(1_531_420_919_000) }, [SECRET])).toMatch('five minutes off');
    expect(slack.identify(given)).toEqual({
      event: 'slash_command',
      deliveryId: '398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
      sentAt: '2018-07-12T18:36:58.000Z',
    });
  });

  test.each([-301, 301])('that was signed %i seconds from now is not fresh', (off) => {
    expect(slack.verify(request('{}', { timestamp: String(SECONDS + off) }), [SECRET])).toMatch('five minutes off');
  });

  test('whose timestamp is none, or another one, is nobody’s', () => {
    for (const timestamp of ['', 'now', '1e9', '-1'])
      expect(slack.verify(request('{}', { timestamp }), [SECRET])).toMatch('does not sign');
    const given = json({});
    const headers = { ...given.headers, 'x-slack-request-timestamp': String(SECONDS - 1) };
    expect(slack.verify({ ...given, headers }, [SECRET])).toMatch('does not sign');
  });

  test('that asks whether anybody is there is answered, and is no delivery', () => {
    expect(slack.identify(json({ type: 'url_verification', challenge: 'abc' }))).toEqual({
      answer: { challenge: 'abc' },
    });
    expect(slack.identify(form({ ssl_check: '1', token: 'x' }))).toEqual({ answer: {} });
  });

  test('is told apart by the id of its event, of what was done, or by what it holds', () => {
    const event = json({ type: 'event_callback', event_id: 'Ev1', event: { type: 'app_mention' } });
    expect(slack.identify(event)).toMatchObject({ event: 'app_mention', deliveryId: 'Ev1' });
    const button = form({ payload: JSON.stringify({ type: 'block_actions', trigger_id: '1.2.a' }) });
    expect(slack.identify(button)).toMatchObject({ event: 'block_actions', deliveryId: '1.2.a' });
    for (const given of [json({ type: 'app_rate_limited' }), request('['), form({ payload: '{' })])
      expect(slack.identify(given)).toMatchObject({ deliveryId: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  });
});

const callback = (event: object, rest: object = {}) => ({
  ...{ type: 'event_callback', event_id: 'Ev1', team_id: 'T1', event },
  ...rest,
});
const read = (event: object, rest: object = {}) => slack.read('', json(callback(event, rest)));
const said = {
  type: 'message',
  channel: 'C1',
  user: 'U1',
  text: 'sum is slow',
  ts: '1700000000.000100',
  event_ts: '1700000000.000100',
};
const mention = { ...said, type: 'app_mention', text: '<@U0BOT> make sum &lt;fast&gt;\nplease' };

describe('a message', () => {
  test('that mentions the app asks, and its thread is the issue', () => {
    expect(read(mention)).toEqual({
      action: null,
      repository: 'C1',
      sender: 'U1',
      words: {
        message: said.ts,
        saidAt: said.ts,
        issue: { id: said.ts, title: 'make sum <fast>', body: 'make sum <fast>\nplease', author: 'U1' },
      },
      issue: {
        id: said.ts,
        name: `thread ${said.ts}`,
        reference: `C1/${said.ts}`,
        url: `https://app.slack.com/client/T1/C1/thread/C1-${said.ts}`,
        title: 'make sum <fast>',
        body: 'make sum <fast>\nplease',
        labels: [],
        author: 'U1',
        isOpen: true,
      },
      change: { kind: 'changed', asked: [{ by: 'mention', what: null }], takenBack: [] },
    });
  });

  test('in a thread is about what the thread began with, and alone it must say something', () => {
    const reply = { ...mention, thread_ts: '1699999999.000001' };
    expect(read(reply)).toMatchObject({ issue: { id: '1699999999.000001', title: 'make sum <fast>' } });
    const bare = read({ ...reply, text: ' <@U0BOT> ' });
    expect(bare).toMatchObject({ issue: { id: '1699999999.000001', wordsIn: '1699999999.000001' } });
    expect(read({ ...mention, text: '<@U0BOT>' })).toMatchObject({
      reason: expect.stringContaining('it says nothing'),
    });
  });

  test('in a channel asks by its words', () => {
    expect(read({ ...said, subtype: 'file_share' })).toMatchObject({
      action: 'file_share',
      change: { asked: [{ by: 'message', what: 'sum is slow' }] },
    });
  });

  test('of a bot asks for nothing, though somebody may ask with its words', () => {
    expect(read({ ...said, bot_id: 'B1' })).toMatchObject({
      reason: 'the words of a bot start no work',
      words: { message: said.ts, issue: { body: 'sum is slow' } },
    });
    expect(read({ ...said, subtype: 'bot_message' })).toHaveProperty('reason');
  });

  test('that was changed has new words, and asks for nothing', () => {
    const changed = {
      ...{
        type: 'message',
        subtype: 'message_changed',
        channel: 'C1',
        ts: '1700000009.1',
        event_ts: '1700000009.000000',
      },
      message: { ...said, text: 'product is slow' },
    };
    expect(read(changed)).toMatchObject({
      reason: 'event message, message_changed, starts no work',
      words: { message: said.ts, saidAt: '1700000009.000000', issue: { body: 'product is slow' } },
    });
  });

  test('of somebody from another workspace is theirs', () => {
    expect(read({ ...mention, user_team: 'T2' })).toMatchObject({ sender: 'T2/U1' });
    expect(read({ ...mention, user_team: 'T1' })).toMatchObject({ sender: 'U1' });
  });
});

describe('a reaction', () => {
  const reaction = {
    ...{ type: 'reaction_added', user: 'U1', reaction: 'robot_face', item_user: 'U2', event_ts: '1700000001.0' },
    item: { type: 'message', channel: 'C1', ts: said.ts },
  };

  test('asks with the words of the message that it is to', () => {
    expect(read(reaction)).toMatchObject({
      repository: 'C1',
      sender: 'U1',
      issue: { id: said.ts, wordsIn: said.ts, title: '', author: null },
      change: { asked: [{ by: 'reaction', what: 'robot_face' }], takenBack: [] },
    });
  });

  test('that is taken away takes back, whatever its colour', () => {
    expect(read({ ...reaction, type: 'reaction_removed', reaction: '+1::skin-tone-2' })).toMatchObject({
      change: { asked: [], takenBack: [{ by: 'reaction', what: '+1' }] },
    });
  });

  test('to a file is to nothing here', () => {
    expect(read({ ...reaction, item: { type: 'file', file: 'F1' } })).toMatchObject({
      reason: 'the reaction is to no message',
    });
  });
});

describe('a command', () => {
  const command = {
    ...{
      command: '/workledger',
      text: 'make it fast',
      trigger_id: '1.2.a',
      user_id: 'U1',
      channel_id: 'C1',
      team_id: 'T1',
    },
  };

  test('asks with what follows it', () => {
    expect(slack.read('slash_command', form(command))).toEqual({
      action: null,
      repository: 'C1',
      sender: 'U1',
      issue: {
        ...{ id: '1.2.a', name: 'command /workledger', reference: 'C1/workledger-1.2.a', url: null },
        ...{ title: 'make it fast', body: 'make it fast', labels: [], author: 'U1', isOpen: true },
      },
      change: { kind: 'changed', asked: [{ by: 'command', what: '/workledger' }], takenBack: [] },
    });
  });

  test('that says nothing starts nothing, and tells how', () => {
    expect(slack.read('slash_command', form({ ...command, text: ' ' }))).toMatchObject({
      reason: expect.stringContaining('/workledger make the search faster'),
    });
  });

  test('is answered by words that only its sender sees; other deliveries by nothing', () => {
    const reply = (told: { taskId: string } | { reason: string }, event = 'slash_command') =>
      slack.reply?.of(event, told);
    expect(reply({ taskId: 'x' })).toEqual({ response_type: 'ephemeral', text: 'It has the task x.' });
    expect(reply({ reason: 'no' })).toEqual({ response_type: 'ephemeral', text: 'Nothing was started: no.' });
    expect(reply({ taskId: 'x' }, 'app_mention')).toBeNull();
  });
});

describe('an answer', () => {
  const [taskId, questionId] = ['5f1c53b4-6f5a-5d0e-9a63-0d3b6f8f2a11', '5f1c53b4-6f5a-5d0e-9a63-0d3b6f8f2a12'];
  const pressed = (value: string, action_id = 'workledger:answer:0') =>
    slack.read(
      '',
      form({
        payload: JSON.stringify({
          ...{ type: 'block_actions', channel: { id: 'C1' }, user: { id: 'U1' } },
          actions: [{ action_id, value }],
        }),
      }),
    );
  test('is a press of a button of ours, which names what it answers', () => {
    const answer = { taskId, questionId, issue: null, verb: 'answer', choice: 'to the left/right', words: null };
    expect(pressed(`${taskId}/${questionId}/to the left/right`)).toMatchObject({
      repository: 'C1',
      sender: 'U1',
      answer,
    });
  });
  test.each([
    ['another app', `${taskId}/${questionId}/left`, 'other'],
    ['nothing', `${taskId}/left`, 'workledger:answer:0'],
  ])('is no press of a button of %s', (_, value, action) => {
    expect(pressed(value, action)).not.toHaveProperty('answer');
  });
  const said = (event: object) => slack.read('', json(callback({ channel: 'C1', user: 'U1', ts: '2.1', ...event })));
  test('is said in a thread, to the app', () => {
    const event = { type: 'app_mention', text: '<@U0BOT> send-back It &lt;forgets&gt; the moon', thread_ts: '1.1' };
    const answer = { taskId: null, questionId: null, issue: '1.1', verb: 'send-back', words: 'It <forgets> the moon' };
    expect(said(event)).toMatchObject({ answer });
    expect(said({ ...event, type: 'message' }), 'to anybody').not.toHaveProperty('answer');
    expect(said({ ...event, type: 'message', text: '@workledger approve' })).toMatchObject({
      answer: { verb: 'approve' },
    });
    expect(said({ ...event, thread_ts: undefined }), 'in no thread').not.toHaveProperty('answer');
  });
});

describe('what starts nothing says why', () => {
  test.each([
    [
      'a button',
      form({ payload: JSON.stringify({ type: 'block_actions', channel: { id: 'C1' }, user: { id: 'U1' } }) }),
      'it is no button of Workledger',
    ],
    [
      'a form',
      form({ payload: JSON.stringify({ type: 'view_submission', user: { id: 'U1' } }) }),
      'view_submission starts no work',
    ],
    ['too many events', json({ type: 'app_rate_limited' }), 'app_rate_limited starts no work'],
    [
      'another event',
      json(callback({ type: 'channel_created', channel: { id: 'C9', name: 'x' } })),
      'event channel_created starts no work',
    ],
    ['no JSON', request('{'), 'the body is not understood'],
    ['a payload that is none', form({ payload: '{' }), 'the body is not understood'],
    ['a form of nothing', form({}), 'what has no type starts no work'],
  ])('%s', (_, given, reason) => {
    expect(slack.read('', given)).toMatchObject({ reason });
  });
});
