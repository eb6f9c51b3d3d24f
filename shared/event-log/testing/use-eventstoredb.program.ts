import { newId, streamName } from '../../contexts/stream.ts';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import { createEventStoreDbLog } from '../eventstoredb/event-log.ts';

// A process that appends, reads and subscribes, and closes: <connection string>. It must end by itself.
const log = await createEventStoreDbLog({ connectionString: process.argv[2] ?? '' });
const stream = streamName('task', newId());
const { position } = await log.append(stream, [anyEvent()], 'none');
for await (const { revision } of log.readStream(stream)) process.stdout.write(`${revision}\n`);
const stopping = new AbortController();
for await (const { caughtUp } of log.subscribe({ after: position, signal: stopping.signal })) if (caughtUp) break;
const waiting = (async () => {
  for await (const batch of log.subscribe({ after: position, signal: stopping.signal })) void batch;
})();
await log.close();
await waiting;
