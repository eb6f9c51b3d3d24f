import { readFile } from 'node:fs/promises';
import { contexts, streamTypesOf } from '@workledger/shared/events/catalogue.ts';
import { PARTITIONS } from '@workledger/shared/event-bus/port.ts';
import { MAX_EVENT_BYTES } from '@workledger/shared/event-log/check-append.ts';
import { expect, test } from 'vitest';

const guide = readFile(new URL('../guides/events-for-other-systems.md', import.meta.url), 'utf8');

test('the guide for other systems names every topic with its streams, and the numbers of the code', async () => {
  const rows = [...(await guide).matchAll(/^\| `workledger\.(\w+)` +\| (.*?) +\|$/gm)].map(
    ([, topic = '', streams = '']) => [topic, [...streams.matchAll(/`([a-z-]+)-…`/g)].map(([, type]) => type)],
  );
  const internal = ['saga', ['saga']];
  const expected = contexts.map((context) => (context === 'saga' ? internal : [context, streamTypesOf(context)]));
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected));
  expect(await guide).toContain(`Every topic has ${PARTITIONS} partitions`);
  expect(await guide).toContain(`at most ${MAX_EVENT_BYTES / 1024} KiB`);
});
