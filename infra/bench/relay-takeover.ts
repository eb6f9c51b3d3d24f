import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { relayMigrations } from '@workledger/command-service/relay/migrations.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { newEvent, newStream, inFreshDatabase } from './fresh-database.ts';

// How long nothing reaches Kafka when the leading relay is killed: from kill -9 to the successor's first acknowledged batch.
const { values } = parseArgs({
  options: { url: { type: 'string' }, kafka: { type: 'string' }, tries: { type: 'string', default: '5' } },
});
const { url, kafka } = values;
if (url === undefined || kafka === undefined)
  throw new Error('node --import tsx infra/bench/relay-takeover.ts --url postgres://… --kafka host:port [--tries 5]');
await inFreshDatabase(url, (connectionString) => run(connectionString, kafka));

async function run(connectionString: string, broker: string): Promise<void> {
  const log = await createPostgresEventLog({ connectionString });
  await migrate(connectionString, 'relay', relayMigrations);
  const pool = new pg.Pool({ connectionString, max: 2 });
  const topicPrefix = `bench-${newId()}`;
  const program = fileURLToPath(new URL('./relay.program.ts', import.meta.url));
  const start = (): ChildProcess =>
    spawn(process.execPath, ['--import', 'tsx', program, connectionString, broker, topicPrefix], { stdio: 'inherit' });
  const leader = async (): Promise<{ owner: string; epoch: string; checkpoint: string }> =>
    (await pool.query<{ owner: string; epoch: string; checkpoint: string }>('select * from relay.leader')).rows[0]!;
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await pause(5);
  };

  const loading = new AbortController();
  const load = (async () => {
    for (; !loading.signal.aborted; await pause(20)) await log.append(newStream(), [newEvent()], 'none');
  })();
  const relays = new Map<string, ChildProcess>();
  const add = (): void => {
    const child = start();
    relays.set(String(child.pid), child);
  };
  const took: number[] = [];
  add();
  add();
  await until(async () => (await leader()).checkpoint !== '0');
  for (let count = 0; count < Number(values.tries); count++) {
    // Long enough for a new standby to stand by.
    await pause(8_000);
    const before = await leader();
    relays.get(before.owner)?.kill('SIGKILL');
    relays.delete(before.owner);
    const killedAt = performance.now();
    const head = await log.head();
    await until(async () => {
      const now = await leader();
      return now.epoch !== before.epoch && BigInt(now.checkpoint) >= head;
    });
    took.push(performance.now() - killedAt);
    add();
  }
  loading.abort();
  await load;
  for (const child of relays.values()) child.kill('SIGKILL');
  await pool.end();
  await log.close();
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter((topic) => topic.startsWith(topicPrefix)) });
  await admin.disconnect();
  console.log(`takeover in ms: ${took.map(Math.round).join(', ')}`);
}
