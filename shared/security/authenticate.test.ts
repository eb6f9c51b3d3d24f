import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { describe, expect, test } from 'vitest';
import type { KeyEvent } from '../contexts/agent/key/events.ts';
import type { DomainEvent } from '../contexts/define-events.ts';
import { newId, parseStream, streamName } from '../contexts/stream.ts';
import { LogBehind } from '../event-log/errors.ts';
import type { EventLog } from '../event-log/port.ts';
import { encode } from '../events/codec.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';
import { Problem } from '../http/problem.ts';
import { newApiKey, parseApiKey } from './api-key.ts';
import { authenticateWith, type AuthenticateOptions } from './authenticate.ts';
import { createFailedAttempts } from './failed-attempts.ts';
import { createKeyMacs, newMacKey, noMacs, type KeyMacs } from './key-macs.ts';
import { createKeyStore } from './key-store.ts';

const macs = createKeyMacs([newMacKey()]);
const metadata = { correlationId: 'c', causationId: null, commandId: newId(), commandHash: '0', actor: 'system' };

type Streams = Readonly<Record<string, readonly DomainEvent[]>>;

/** Streams in memory that count what is read of them. @param growing is read as it is at each time */
function countingLog(streams: Streams, growing: Streams = {}) {
  const read = { calls: 0, events: 0 };
  const record = (from: Streams) =>
    Object.fromEntries(
      Object.entries(from).map(([stream, events]) => [
        stream,
        encode(stream, events, { ...metadata, traceparent: null }).map((event, revision): RecordedEvent => ({
          ...event,
          stream,
          revision,
          position: 1n,
          recordedAt: new Date(0),
        })),
      ]),
    );
  const known = record(streams);
  const readStream: EventLog['readStream'] = async function* (stream, { from, direction, limit = Infinity } = {}) {
    read.calls += 1;
    const events = known[parseStream(stream).id === '' ? '' : stream] ?? record(growing)[stream] ?? [];
    const chosen =
      direction === 'backward' ? events.slice(0, (from ?? events.length) + 1).reverse() : events.slice(from ?? 0);
    for (const event of chosen.slice(0, limit)) {
      read.events += 1;
      yield event;
    }
  };
  return { log: { readStream }, read };
}

type Created = Extract<KeyEvent, { type: 'KeyCreated' }>['data'];

/** A key and its stream. */
function keyOf(fields: Partial<Created> = {}, made: KeyMacs = macs) {
  const id = newId();
  const { key, secretHash, macKey } = newApiKey(id, made);
  const data = { name: 'x', role: 'viewer', agentId: null, secretHash, ...(macKey && { macKey }), ...fields } as const;
  return { id, key, streams: { [streamName('key', id)]: [{ type: 'KeyCreated', data }] } };
}

const revoked = { type: 'KeyRevoked', data: { reason: 'lost' } };

function door(streams: Streams, options: AuthenticateOptions = {}, growing: Streams = {}) {
  const { log, read } = countingLog(streams, growing);
  const captured = captureLog();
  const keys = createKeyStore(log, { macs });
  const authenticate = authenticateWith(keys, { logger: captured.logger, ...options });
  const refusalOf = async (key: string, address = '192.0.2.1'): Promise<unknown> => {
    try {
      return await authenticate(`Bearer ${key}`, { address, forwardedFor: undefined });
    } catch (error) {
      return error;
    }
  };
  const ask = async (key: string, address?: string): Promise<string> => {
    const told = await refusalOf(key, address);
    return told instanceof Problem ? told.code : (told as { readonly role: string }).role;
  };
  return { ask, refusalOf, read, keys, lines: captured.lines, text: captured.text };
}

describe('what is let in', () => {
  test('a key with its MAC, and one of before', async () => {
    const [one, old] = [keyOf(), keyOf({}, noMacs)];
    const { ask } = door({ ...one.streams, ...old.streams });
    expect([await ask(one.key), await ask(old.key)]).toEqual(['viewer', 'viewer']);
  });

  test('a key whose MAC was cut off is no key of before', async () => {
    const { key, streams } = keyOf();
    expect(await door(streams).ask(parseApiKey(key)!.signed)).toBe('unauthenticated');
  });

  test('a key until it expires, by the clock of the process', async () => {
    let now = Date.parse('2027-01-01T00:00:00Z') - 1;
    const { key, streams } = keyOf({ expiresAt: '2027-01-01T00:00:00Z' });
    const { ask } = door(streams, { now: () => now });
    expect(await ask(key)).toBe('viewer');
    now += 1;
    expect(await ask(key)).toBe('key-expired');
  });

  test('not one that was revoked', async () => {
    const { id, key, streams } = keyOf();
    const stream = streamName('key', id);
    expect(await door({ [stream]: [...streams[stream]!, revoked] }).ask(key)).toBe('unauthenticated');
  });
});

describe('an agent', () => {
  const agentId = newId();
  const registration = {
    type: 'AgentRegistered',
    data: { name: 'a', kind: 'worker', runtime: 'remote', capabilities: [], capacity: 20, coordinatorId: null },
  };
  const reserved = { type: 'AgentReserved', data: { claimId: newId(), taskId: newId() } };
  const released = { type: 'AgentReleased', data: { claimId: newId(), taskId: newId(), reason: 'done' } };
  const gone = { type: 'AgentDeregistered', data: { reason: 'moved' } };
  const long = Array.from({ length: 5_000 }, () => [reserved, released]).flat();

  test.each([
    ['at work', [registration, ...long], 'viewer', 3],
    ['deregistered', [registration, ...long, gone], 'unauthenticated', 2],
    [
      'deregistered, and then what it held was released',
      [registration, ...long, gone, ...Array.from({ length: 20 }, () => released)],
      'unauthenticated',
      22,
    ],
    ['registered again', [registration, gone, registration], 'viewer', 2],
    ['that nobody knows', [], 'viewer', 1],
  ])('%s: its key, from the end of its stream, however long that is', async (_, history, expected, events) => {
    const { key, streams } = keyOf({ role: 'agent', agentId });
    const { ask, read } = door({ ...streams, [streamName('agent', agentId)]: history });
    expect(await ask(key)).toBe(expected === 'viewer' ? 'agent' : expected);
    expect(read.events).toBe(events);
  });
});

describe('a user', () => {
  const userId = newId();
  const stream = streamName('user', userId);
  const access = { state: 'active', role: 'operator', teams: ['core'] } as const;
  const event = (change: object) => ({ type: 'UserRoleChanged', data: { access: { ...access, ...change } } });
  const long = Array.from({ length: 5_000 }, (_, number) => event({ teams: [`team-${number}`] }));

  test('is who sends, with role and teams as of now, from the last event, however many there are', async () => {
    const { key, id, streams } = keyOf({ role: 'operator', userId });
    const { refusalOf, read } = door({ ...streams, [stream]: [...long, event({})] });
    const principal = { role: 'operator', teams: ['core'], actor: `user:${userId}`, keyId: id, agentId: null };
    expect(await refusalOf(key)).toEqual({ ...principal, repositories: null });
    expect(read.events).toBe(2);
  });

  test.each([
    ['whose role is less than the key has', { role: 'viewer' }, 'viewer'],
    ['whose role is more than the key has', { role: 'admin' }, 'operator'],
    ['whose role is another', { role: 'auditor' }, 'viewer'],
    ['who is suspended', { state: 'suspended' }, 'user-suspended'],
    ['who is not admitted yet', { state: 'invited' }, 'user-suspended'],
  ])('%s', async (_, change, expected) => {
    const { key, streams } = keyOf({ role: 'operator', userId });
    expect(await door({ ...streams, [stream]: [event({}), event(change)] }).ask(key)).toBe(expected);
  });

  test('is told to be suspended by the right secret only, and that is no failed attempt', async () => {
    const { key, id, streams } = keyOf({ role: 'operator', userId });
    const failures = createFailedAttempts({ now: () => 0 });
    const { ask } = door({ ...streams, [stream]: [event({ state: 'suspended' })] }, { failures });
    for (let count = 0; count < 30; count++) expect(await ask(key)).toBe('user-suspended');
    expect(failures.size()).toBe(0);
    expect(await ask(newApiKey(id, macs).key)).toBe('unauthenticated');
  });

  test('that the log does not show, as it must, is no reason to deny a key: it is asked again', async () => {
    const { key, streams } = keyOf({ role: 'operator', userId });
    expect(await door(streams).refusalOf(key)).toBeInstanceOf(LogBehind);
  });

  test('who is suspended is refused by every process, once what they had kept is over, and no sooner than asked', async () => {
    const { key, streams } = keyOf({ role: 'operator', userId });
    const growing: DomainEvent[] = [event({})];
    const processes = [1, 2].map(() => door({ ...streams }, {}, { [stream]: growing }));
    const ask = () => Promise.all(processes.map((process) => process.ask(key)));
    expect([await ask(), await ask()]).toEqual([Array(2).fill('operator'), Array(2).fill('operator')]);
    expect(processes.map(({ read }) => read.calls)).toEqual([2, 2]);
    growing.push(event({ state: 'suspended' }));
    await processes[0]!.keys.forgetEverywhere();
    expect(await ask()).toEqual(Array(2).fill('user-suspended'));
    expect(processes.map(({ read }) => read.calls)).toEqual([4, 4]);
  });
});

describe('what was made up', () => {
  const forged = (): string => newApiKey(newId(), createKeyMacs([newMacKey()])).key;

  test('10,000 keys cost no look into the log, and nothing is kept of them', async () => {
    const failures = createFailedAttempts({ now: () => 0 });
    const { ask, read, keys, lines } = door({}, { failures });
    const answers = new Map<unknown, number>();
    const known: string[] = [];
    for (let count = 0; count < 10_000; count++) {
      const key = forged();
      const answer = await ask(key);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      if (keys.knows(parseApiKey(key)!.keyId)) known.push(key);
    }
    expect(known).toEqual([]);
    expect(read).toEqual({ calls: 0, events: 0 });
    expect(Object.fromEntries(answers)).toEqual({ unauthenticated: 20, 'too-many-failed-attempts': 9_980 });
    expect([failures.size(), lines().length]).toEqual([1, 20]);
  });

  test('keys of the form of before cost 20 looks a minute and address, also many at once', async () => {
    const { ask, read } = door({});
    const answers = await Promise.all(Array.from({ length: 500 }, () => ask(newApiKey(newId()).key)));
    expect(read.calls).toBe(20);
    expect(answers.filter((answer) => answer === 'unauthenticated')).toHaveLength(20);
    expect(answers.filter((answer) => answer === 'too-many-failed-attempts')).toHaveLength(480);
  });

  test('from an address that failed too often valid keys are let in, and others fail from elsewhere', async () => {
    let now = 0;
    const [one, old, unseen] = [keyOf(), keyOf({}, noMacs), keyOf({}, noMacs)];
    const failures = createFailedAttempts({ now: () => now });
    const { ask, refusalOf } = door({ ...one.streams, ...old.streams, ...unseen.streams }, { failures });
    expect(await ask(old.key)).toBe('viewer');
    for (let count = 0; count < 20; count++) await ask('wl_');
    expect(await ask(forged())).toBe('too-many-failed-attempts');
    now += 10_000;
    expect(await refusalOf(forged())).toMatchObject({ status: 429, headers: { 'Retry-After': '50' } });
    expect([await ask(one.key), await ask(old.key)]).toEqual(['viewer', 'viewer']);
    expect([await ask(unseen.key), await ask(unseen.key, '192.0.2.2')]).toEqual(['too-many-failed-attempts', 'viewer']);
    expect(await ask(forged(), '192.0.2.2')).toBe('unauthenticated');
    now += 50_000;
    expect(await ask(forged())).toBe('unauthenticated');
  });

  test('is logged with address, key id and why, and never with the secret', async () => {
    const { id, key, streams } = keyOf();
    const { ask, lines, text } = door(streams);
    const wrong = newApiKey(id, macs).key;
    for (const given of [wrong, forged(), 'wl_x']) await ask(given, '2001:db8::7');
    expect(
      lines().map(({ address, keyId, fault, failed, level }) => ({ address, keyId, fault, failed, level })),
    ).toEqual([
      { address: '2001:db8::7', keyId: id, fault: 'another secret', failed: 1, level: 'warn' },
      { address: '2001:db8::7', keyId: expect.any(String), fault: 'another MAC', failed: 2, level: 'warn' },
      { address: '2001:db8::7', keyId: null, fault: 'no key', failed: 3, level: 'warn' },
    ]);
    for (const given of [wrong, key]) expect(text()).not.toContain(parseApiKey(given)!.secret);
  });
});
