import { expect, it } from 'vitest';
import { newId, streamName } from '../../../contexts/stream.ts';
import type { RecordedEvent } from '../../../events/recorded-event.ts';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import { toServerFilter, toTest } from './filter.ts';

const serverFilter = (filter: object): unknown => toServerFilter(filter, () => undefined);

it.each([
  [{}, { filterOn: 'eventType', regex: '^[^$].*' }],
  [
    { streams: [], types: [] },
    { filterOn: 'eventType', regex: '^[^$].*' },
  ],
  [{ streams: ['task', 'agent'] }, { filterOn: 'streamName', prefixes: ['task-', 'agent-'] }],
  [{ types: ['Opened'] }, { filterOn: 'eventType', prefixes: ['Opened'] }],
  [
    { streams: ['task'], types: ['Opened'] },
    { filterOn: 'streamName', prefixes: ['task-'] },
  ],
])('the server leaves out the rest of %j, its own events always', (filter, expected) => {
  expect(serverFilter(filter)).toMatchObject(expected);
});

const event = (stream: string, type: string): RecordedEvent => ({
  ...anyEvent({}, type),
  stream: streamName(stream, newId()),
  revision: 0,
  position: 1n,
  recordedAt: new Date(),
});

it.each([
  [{}, 'task', 'Opened', true],
  [{ streams: ['task'] }, 'task', 'Opened', true],
  [{ streams: ['task'] }, 'task-note', 'Opened', false],
  [{ types: ['Opened'] }, 'task', 'OpenedAgain', false],
  [{ streams: ['task'], types: ['Opened'] }, 'task', 'Closed', false],
  [{ streams: ['task'], types: ['Opened'] }, 'task', 'Opened', true],
  [{ streams: [] }, 'task', 'Opened', false],
  [{ types: [] }, 'task', 'Opened', false],
])('with %j, an event of stream type %s and type %s passes: %s', (filter, stream, type, passes) => {
  expect(toTest(filter)(event(stream, type))).toBe(passes);
});
