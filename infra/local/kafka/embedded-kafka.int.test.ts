import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createFeed } from '@workledger/shared/event-bus/kafka/testing/feed.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { describeWithKafka } from '../../testing/servers/kafka.ts';
import { isBrokerOn, pidFile } from './broker-process.ts';
import { ownKafkas } from '../../testing/servers/own-servers.ts';
import { startProgram } from '../../testing/processes/program.ts';
import { runStarter } from '../../testing/servers/starter.ts';

const kafkas = ownKafkas();
const open = (brokers: string): KafkaBus =>
  createKafkaBus({ brokers: [brokers], clientId: 'test', logger: captureLog().logger });

/** How many events the broker holds. */
async function heldBy(brokers: string): Promise<bigint> {
  const bus = open(brokers);
  const ends = await bus.endOffsets(['task']);
  await bus.close();
  return [...ends.values()].reduce((sum, end) => sum + end, 0n);
}

// A broker takes seconds to start, more on a busy machine.
describeWithKafka('Kafka without Docker', { timeout: 240_000 }, () => {
  it('keeps its data and its port from one start to the next, after a stop and after a kill -9', async () => {
    const folder = await kafkas.folder();
    const first = await kafkas.start(folder);
    const bus = open(first.brokers);
    await createFeed(bus)(streamName('task', newId()), 5);
    await bus.close();
    await first.stop();
    expect(isBrokerOn(folder, first.pid)).toBe(false);

    const second = await kafkas.start(folder);
    expect(second.brokers).toBe(first.brokers);
    expect(await heldBy(second.brokers)).toBe(5n);
    process.kill(second.pid, 'SIGKILL');
    expect(await second.died).toBe('signal SIGKILL');
    await second.stop();

    const third = await kafkas.start(folder);
    expect(third.brokers).toBe(first.brokers);
    expect(await heldBy(third.brokers)).toBe(5n);
  });

  it('stops the broker that a killed starter left on the folder, and no other process', async () => {
    const folder = await kafkas.folder();
    const starter = await runStarter('kafka', folder);
    expect(isBrokerOn(folder, starter.pid)).toBe(true);
    const second = await runStarter('kafka', folder);
    expect(second.error).toContain(`the data folder ${folder} is in use by another Workledger`);
    await starter.kill();
    expect(isBrokerOn(folder, starter.pid)).toBe(true);
    const log: string[] = [];
    const next = await kafkas.start(folder, { log: (line) => log.push(line) });
    expect(log).toEqual([`Kafka (process ${starter.pid}) is still running from last time: stopping it`]);
    expect(next.brokers).toBe(starter.brokers);
    expect(isBrokerOn(folder, starter.pid)).toBe(false);
    expect(isBrokerOn(await kafkas.folder(), next.pid)).toBe(false);
    await next.stop();

    const bystander = spawn('sleep', ['600']);
    await writeFile(pidFile(folder), `${bystander.pid}\n`);
    await kafkas.start(folder);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    bystander.kill();
  });

  it('runs as a program until it is told to stop, and its broker as long', async () => {
    const folder = await kafkas.folder();
    const { JAVA_HOME } = process.env;
    const program = startProgram('infra/local/kafka/start.ts', ['--data', folder], { environment: { JAVA_HOME } });
    await program.until(/^KAFKA_BROKERS=127\.0\.0\.1:\d+$/m);
    const broker = Number(await readFile(pidFile(folder), 'utf8'));
    await pause(1_000);
    expect([program.isRunning(), isBrokerOn(folder, broker)]).toEqual([true, true]);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    expect([program.lines().at(-1), isBrokerOn(folder, broker)]).toEqual(['stopped', false]);
  });

  it('names a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(kafkas.start(await kafkas.folder(), { port })).rejects.toThrow(
      `port ${port} for Kafka is taken: free it, or choose another`,
    );
    server.close();
  });

  it('says in one line why it did not start, and where the whole log is', async () => {
    const folder = await kafkas.folder();
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data', 'meta.properties'), 'version=1\nnode.id=2\ncluster.id=somebody-elses\n');
    const failure = await kafkas.start(folder).then(
      () => 'started',
      (error: Error) => error.message,
    );
    expect(failure).toMatch(
      /^Kafka did not start: Stored node id 2 doesn't match [^\n]* \(whole log: .*broker\.log\)$/,
    );
    expect(await readFile(join(folder, 'broker.log'), 'utf8')).not.toBe('');
  });

  it('says how to get Java where it is missing, and what is too old', async () => {
    const folder = await kafkas.folder();
    const missing = await runStarter('kafka', folder, { JAVA_HOME: join(folder, 'nowhere') });
    expect(missing.error).toMatch(
      /^Kafka needs Java 17 or newer, and there is no .*nowhere\/bin\/java: on Debian: `apt/,
    );

    await mkdir(join(folder, 'old', 'bin'), { recursive: true });
    const java = join(folder, 'old', 'bin', 'java');
    await writeFile(java, '#!/bin/sh\necho \'openjdk version "11.0.2" 2019-01-15\' >&2\n');
    await chmod(java, 0o755);
    const old = await runStarter('kafka', folder, { JAVA_HOME: join(folder, 'old') });
    expect(old.error).toMatch(/^Kafka needs Java 17 or newer, and .* says: openjdk version "11\.0\.2"/);
  });
});
