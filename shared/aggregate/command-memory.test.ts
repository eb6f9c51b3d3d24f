import { expect, it } from 'vitest';
import type { EventMetadata } from '../events/recorded-event.ts';
import {
  type CommandMemory,
  IDEMPOTENCY_WINDOW_SECONDS,
  readMemory,
  remember,
  remembered,
  writeMemory,
} from './command-memory.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const WINDOW = IDEMPOTENCY_WINDOW_SECONDS * 1_000;

const metadata = (commandId: string): EventMetadata => ({
  ...{ correlationId: 'c', causationId: null, commandId, commandHash: `hash of ${commandId}` },
  ...{ actor: 'system', traceparent: null },
});

function filled(events: readonly (readonly [commandId: string, at: number])[], now = NOW): CommandMemory {
  const memory: CommandMemory = { creation: null, recent: new Map() };
  for (const [revision, [commandId, at]] of events.entries())
    remember(memory, { revision, recordedAt: new Date(at), metadata: metadata(commandId) }, now);
  return memory;
}
const at = (memory: CommandMemory, now: number) => remembered(memory, Infinity, () => now);

it('a command is remembered to the end of the window, the creation for ever', () => {
  const memory = filled([
    ['creation', NOW - 100 * WINDOW],
    ['creation', NOW - 100 * WINDOW],
    ['change', NOW],
  ]);
  expect(at(memory, NOW + WINDOW).get('change')).toMatchObject({ revision: 2, hash: 'hash of change' });
  expect(at(memory, NOW + WINDOW + 1).has('change')).toBe(false);
  expect(at(memory, NOW + 100 * WINDOW).get('creation')).toMatchObject({ revision: 1 });
});

it('an id that came back after the window is remembered as what it led to then', () => {
  const old = NOW - WINDOW - 1;
  const memory = filled(
    [
      ['creation', old],
      ['again', old],
      ['other', NOW - 2],
      ['again', NOW - 1],
    ] as const,
    NOW,
  );
  expect(at(memory, NOW).get('again')).toMatchObject({ revision: 3 });
  expect([...memory.recent.keys()]).toEqual(['other', 'again']);
});

it('what is too old takes no room: neither when it is read, nor when the window moves on', () => {
  const old = filled(Array.from({ length: 10_000 }, (_, number) => [`old ${number}`, NOW - WINDOW - 1] as const));
  expect(old.recent.size).toBe(0);
  const memory = filled(Array.from({ length: 1_000 }, (_, number) => [`${number}`, NOW + number] as const));
  expect(memory.recent.size).toBe(999);
  const later = NOW + WINDOW + 900;
  remember(memory, { revision: 1_000, recordedAt: new Date(later), metadata: metadata('later') }, later);
  expect(memory.recent.size).toBe(101);
});

it('a reader sees what was there at its revision', () => {
  const memory = filled([
    ['creation', NOW],
    ['first', NOW],
    ['second', NOW],
  ]);
  const seen = remembered(memory, 1, () => NOW);
  expect([seen.has('first'), seen.has('second')]).toEqual([true, false]);
});

it('is written without what is over, and read as it was', () => {
  const memory = filled([
    ['creation', NOW],
    ['old', NOW],
    ['new', NOW + 5],
  ]);
  const read = readMemory(JSON.parse(JSON.stringify(writeMemory(memory, NOW + WINDOW + 1))) as never);
  expect(read.creation).toEqual(memory.creation);
  expect([...read.recent]).toEqual([['new', { revision: 2, hash: 'hash of new', at: NOW + 5 }]]);
});
