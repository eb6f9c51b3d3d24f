import type { Command, CommandAnswer, CommandContext } from '@workledger/shared/commands/port.ts';
import { CommandRefused, type RefusalCode } from '@workledger/shared/commands/refusal.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { expect } from 'vitest';
import { commandServiceMigrations } from './heartbeats.ts';
import { createCommandHandlers, type CommandHandlers } from './handlers.ts';
import type { HandlersConfiguration, NextTasks } from './room.ts';
import { noBudgets, type Spending } from './spending.ts';

/** The write side on a database of its own; `another()` is what a second process, or this one after a restart, would have. */
export type WriteSide = {
  readonly database: TestDatabase;
  readonly log: EventLog;
  readonly commands: CommandHandlers;
  /** What the next-task hint answers. */
  readonly hints: { taskId: string }[];
  /** What hints say of agents that can do an issue, and of the issues of an agent. */
  readonly issueHints: { agents: readonly string[]; issues: readonly string[] };
  /** What it was asked for last, and what it waits for before it answers. */
  readonly wanted: { last?: Parameters<NextTasks>[0]; until?: Promise<void> };
  another(
    configuration?: Partial<HandlersConfiguration>,
    onLog?: (log: EventLog) => EventLog,
    now?: () => number,
    spending?: Spending,
  ): Promise<CommandHandlers>;
  close(): Promise<void>;
};

export async function startWriteSide(): Promise<WriteSide> {
  const database = await createTestDatabase();
  await migrate(database.url, 'command_service', commandServiceMigrations);
  const logs: EventLog[] = [];
  const hints: { taskId: string }[] = [];
  const wanted: WriteSide['wanted'] = {};
  const issueHints: WriteSide['issueHints'] = { agents: [], issues: [] };

  const create = async (
    configuration: Partial<HandlersConfiguration> = {},
    onLog = (log: EventLog) => log,
    now: () => number = Date.now,
    spending: Spending = noBudgets,
  ) => {
    const log = await createPostgresEventLog({ connectionString: database.url, readConnections: 4 });
    logs.push(log);
    const commands = await createCommandHandlers({
      log: onLog(log),
      pool: database.pool,
      now,
      spending,
      configuration: {
        repositories: [{ name: 'sample' }, { name: 'other' }],
        leaseSeconds: 60,
        heartbeatSeconds: 30,
        ...configuration,
      },
      keysOf: (agentId) => keysInLog(log, agentId),
      issueHints: {
        agentsFor: async ({ without }) => issueHints.agents.filter((id) => !without.includes(id)),
        issuesOf: async () => issueHints.issues,
      },
      nextTasks: async (asked) => {
        wanted.last = asked;
        await wanted.until;
        return hints
          .filter(({ taskId }) => !asked.without.includes(taskId))
          .slice(0, asked.limit)
          .map((hint) => ({ urgency: 3, ...hint }));
      },
    });
    return { log, commands };
  };

  const first = await create();
  return {
    database,
    ...first,
    hints,
    issueHints,
    wanted,
    another: async (...options) => (await create(...options)).commands,
    close: async () => {
      await Promise.all(logs.map((log) => log.close()));
      await database.drop();
    },
  };
}

/** Without projections: what their read model would know. */
async function keysInLog(log: EventLog, agentId: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { stream, data } of log.readAll({ streams: ['key'], types: ['KeyCreated'] }))
    if ((data as { agentId: string | null }).agentId === agentId) keys.push(streamId(stream));
  return keys;
}

export const from = (actor: string, more: Partial<CommandContext> = {}): CommandContext => ({
  actor,
  correlationId: newId(),
  ...more,
});

const operator = from('key:0190a000-0000-7000-8000-0000000000cc');

/** Sends a command as an operator. */
export const ask = (
  { commands }: { readonly commands: CommandHandlers },
  type: string,
  target: string,
  data: unknown = {},
  context: Partial<CommandContext> = {},
): Promise<CommandAnswer> => commands.send({ type, target, data } satisfies Command, { ...operator, ...context });

export async function expectRefused(
  answer: Promise<unknown>,
  code: RefusalCode,
  facts: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const refusal: unknown = await answer.then(
    () => 'accepted',
    (error: unknown) => error,
  );
  expect(refusal).toBeInstanceOf(CommandRefused);
  expect(refusal).toMatchObject({ code, facts });
}

export async function eventsOf(log: EventLog, stream: string): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of log.readStream(stream)) events.push(event);
  return events;
}

export const typesOf = async (log: EventLog, stream: string): Promise<readonly string[]> =>
  (await eventsOf(log, stream)).map(({ type }) => type);

type Side = Pick<WriteSide, 'commands'>;

export async function create(side: Side, data: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const taskId = newId();
  await ask(side, 'task.create', taskId, { title: 'Make it fast', repository: 'sample', ...data });
  return taskId;
}

export async function register(side: Side, data: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const agentId = newId();
  await ask(side, 'agent.register', agentId, { name: 'worker', capabilities: ['code'], capacity: 50, ...data });
  return agentId;
}

/** Claims a task for an agent; answers the claim's id. */
export async function claim(side: Side, taskId: string, agentId: string): Promise<string> {
  const { details } = await ask(side, 'task.claim', taskId, { agentId });
  return details['claimId'] as string;
}

/** Carries a task from claim to completion. */
export async function complete(
  side: Side,
  taskId: string,
  agentId: string,
  result: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const claimId = await claim(side, taskId, agentId);
  await ask(side, 'task.submit', taskId, { claimId, commit: null });
  const nothing = {
    commit: null,
    branch: null,
    merged: false,
    diffStat: null,
    metricsBefore: null,
    metricsAfter: null,
  };
  await ask(side, 'task.complete', taskId, {
    claimId,
    result: { ...nothing, costUsd: null, durationMs: 1, ...result },
  });
  await ask(side, 'agent.release', agentId, { claimId, reason: 'complete' });
}
