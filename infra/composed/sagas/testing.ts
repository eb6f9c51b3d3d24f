import { randomBytes } from 'node:crypto';
import { createCommandHandlers } from '@workledger/command-service/processes/handlers.ts';
import { commandServiceMigrations } from '@workledger/command-service/processes/heartbeats.ts';
import { runReadModels } from '@workledger/projections/all.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { sagaMigrations } from '@workledger/sagas/engine/migrations.ts';
import { artefactMigrations } from '@workledger/shared/artefacts/postgres/migrations.ts';
import type { Command } from '@workledger/shared/commands/port.ts';
import { configurationSchema, type Configuration } from '@workledger/shared/config/schema.ts';
import { createInProcessBus } from '@workledger/shared/event-bus/in-process/in-process-bus.ts';
import { createKafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { nextTasks } from '@workledger/shared/read-models/next-tasks.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { createTestDatabase } from '../../testing/servers/database.ts';
import { kafkaBrokers } from '../../testing/servers/kafka.ts';
import type { Settings } from '../../testing/system/engine.ts';
import { until } from '../../testing/processes/until.ts';
import { descendantsOf } from '../../testing/processes/processes.ts';
import { removeFolder, temporaryFolder } from '../../testing/processes/folder.ts';
import { startProgram } from '../../testing/processes/program.ts';

/** Everything but the workers, in the test's own process: write side, read models, and what hands the log on to Kafka. */
export type SystemAround = {
  startWorker(): Promise<Worker>;
  send(command: Command): Promise<void>;
  /** Types of a stream's events, in order. */
  typesOf(stream: string): Promise<string[]>;
  /** Waits for an event of this type at the end of a task. */
  untilTask(taskId: string, type: string): Promise<void>;
  /** The saga of the task's only run. */
  runOf(taskId: string): Promise<string>;
  dispose(): Promise<void>;
};

export async function startSystemAround(settings: Settings): Promise<SystemAround> {
  const configuration = configurationSchema.parse(settings);
  const database = await createTestDatabase();
  const { url, pool } = database;
  await migrate(url, 'artefacts', artefactMigrations);
  await migrate(url, 'command_service', commandServiceMigrations);
  await migrateReadModels(url);
  await migrate(url, 'sagas', sagaMigrations);
  const { logger } = captureLog();
  const log = await createPostgresEventLog({ connectionString: url });
  const brokers = kafkaBrokers();
  const topicPrefix = `sagas-${randomBytes(4).toString('hex')}`;
  const kafka = createKafkaBus({ brokers, clientId: 'relay', topicPrefix, logger });
  await kafka.ensureTopics();
  const stopping = new AbortController();
  const { signal } = stopping;
  const inProcess = createInProcessBus(log);
  const loops = [relay(), runReadModels({ log, bus: inProcess, pool, logger, onApplied: () => undefined, signal })];
  const { leaseSeconds, heartbeatSeconds, ageingSeconds, repositories } = configuration;
  const commands = await createCommandHandlers({
    log,
    pool,
    configuration: { repositories, leaseSeconds, heartbeatSeconds },
    nextTasks: (wanted) => nextTasks(pool, { ...wanted, ageingSeconds }),
  });
  const workers: Worker[] = [];

  async function relay(): Promise<void> {
    for await (const { events } of log.subscribe({ signal })) if (events.length > 0) await kafka.publish(events);
  }
  async function typesOf(stream: string): Promise<string[]> {
    const types: string[] = [];
    for await (const { type } of log.readStream(stream)) types.push(type);
    return types;
  }

  return {
    startWorker: async () => {
      const worker = await startWorker({ databaseUrl: url, brokers, topicPrefix, configuration });
      workers.push(worker);
      return worker;
    },
    send: async (command) => void (await commands.send(command, { actor: 'system', correlationId: newId() })),
    typesOf,
    untilTask: async (taskId, type) => {
      await until(`${type} of the task`, async () => (await typesOf(streamName('task', taskId))).includes(type), 120);
    },
    runOf: async (taskId) => {
      for await (const { type, data } of log.readStream(streamName('task', taskId)))
        if (type === 'TaskClaimed') return streamName('saga-code-evolution', (data as { claimId: string }).claimId);
      throw new Error('the task was not claimed yet');
    },
    dispose: async () => {
      await Promise.all(workers.map((worker) => worker.dispose()));
      stopping.abort();
      await Promise.all(loops);
      await inProcess.close();
      await kafka.close();
      await log.close();
      await database.drop();
    },
  };
}

export type Worker = {
  /** Its own; no other worker knows it. */
  readonly dataFolder: string;
  /** Whether this process is a program that the worker runs. */
  runs(pid: number): boolean;
  /** What it logged. */
  output(): string;
  /** SIGTERM, and an orderly end. */
  stop(): Promise<void>;
  /** SIGKILL; what it runs lives on. */
  kill9(): Promise<void>;
  /** Kills it if need be and removes its data folder. */
  dispose(): Promise<void>;
};

/** Starts a worker with a new data folder and waits until it works. */
async function startWorker(settings: Omit<WorkerSettings, 'dataFolder'>): Promise<Worker> {
  const dataFolder = await temporaryFolder('worker');
  const given: WorkerSettings = { ...settings, dataFolder };
  const program = startProgram('infra/composed/sagas/worker.program.ts', [JSON.stringify(given)]);
  await program.until(/^working\n/m);
  return {
    dataFolder,
    runs: (pid) => descendantsOf(program.pid).includes(pid),
    output: () => program.written.output,
    stop: () => program.end('SIGTERM'),
    kill9: () => program.end('SIGKILL'),
    dispose: async () => {
      await program.end('SIGKILL');
      await removeFolder(dataFolder);
    },
  };
}

/** What a worker's process is started with. */
export type WorkerSettings = {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly configuration: Configuration;
  readonly dataFolder: string;
};
