import { newId, streamName } from '../../contexts/stream.ts';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import { createPostgresEventLog } from '../postgres/event-log.ts';

// A process that appends: <connection string> <streams> <events a stream, one append each>. Prints how many it wrote.
const [connectionString = '', streams = '1', events = '1'] = process.argv.slice(2);
const log = await createPostgresEventLog({ connectionString });

async function fill(stream: string): Promise<number> {
  for (let number = 0; number < Number(events); number++)
    await log.append(stream, [anyEvent({ number, process: process.pid })], number === 0 ? 'none' : number - 1);
  return Number(events);
}

const written = await Promise.all(Array.from({ length: Number(streams) }, () => fill(streamName('task', newId()))));
process.stdout.write(`${written.reduce((sum, count) => sum + count, 0)}\n`);
await log.close();
