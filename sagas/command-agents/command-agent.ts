import type { Logger } from 'pino';
import { followState } from '@workledger/shared/aggregate/read-state.ts';
import type { CommandInput, CommandTypeOf } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { agentFold, isResting, type AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { agentIdOf } from '../components/environment.ts';

export type CommandAgentOptions = {
  readonly agent: AgentConfiguration;
  readonly log: EventLog;
  readonly commands: Commands;
  readonly outages: Outages;
  readonly logger: Logger;
  /** As it is now: leases are renewed three times in `leaseSeconds`, a sign of life is due each `heartbeatSeconds`. */
  readonly timing: () => { readonly leaseSeconds: number; readonly heartbeatSeconds: number };
  /** Resolves when there may be work; a hint only. */
  readonly wake: (signal: AbortSignal) => Promise<void>;
  /** Aborts as the process is asked to stop: it claims no more, and goes on to report. Default: never. */
  readonly draining?: AbortSignal;
  /** Aborts as the agent is configured no more: it claims nothing, and ends when it holds nothing. Default: never. */
  readonly leaving?: AbortSignal;
  readonly signal: AbortSignal;
};

const SHORTEST_RETRY_MILLISECONDS = 250;
const LONGEST_RETRY_MILLISECONDS = 5_000;

/** A shorter lease may be asked for at any time. */
const LONGEST_REPORT_SECONDS = 20;

function reportMilliseconds({ timing }: CommandAgentOptions): number {
  const { leaseSeconds, heartbeatSeconds } = timing();
  return 1_000 * Math.min(leaseSeconds / 3, heartbeatSeconds, LONGEST_REPORT_SECONDS);
}

/**
 * Registers a configured agent, reports for it, renews its leases and claims work while it has room, until the signal aborts.
 * Several processes may do so for the same agent: its own stream holds its capacity, repeated reports and renewals change nothing.
 */
export async function runCommandAgent(given: CommandAgentOptions): Promise<void> {
  const { agent, outages, draining, leaving } = given;
  const left = new AbortController();
  const signal = AbortSignal.any([given.signal, left.signal]);
  const options = { ...given, signal };
  const target = agentIdOf(agent.name);
  const registration = {
    name: agent.name,
    kind: 'worker' as const,
    runtime: 'command' as const,
    capabilities: agent.capabilities,
    capacity: agent.capacity,
  };
  const follow = followState(options.log, agentFold, target);
  /** Tasks that it holds, by claim. */
  const reservations = async (): Promise<AgentState['reservations']> =>
    (await outages.watch('event-log', follow)).reservations;
  const rests = async (): Promise<boolean> => isResting(await outages.watch('event-log', follow), Date.now());

  await persist(options, () => send(options, { type: 'agent.register', target, data: registration }));
  await Promise.all([
    repeat(options, report, () => pause(reportMilliseconds(options), signal)),
    repeat(options, claim, () => options.wake(signal)),
  ]);

  async function report(): Promise<void> {
    await send(options, { type: 'agent.beat', target, data: {} });
    for (const [claimId, taskId] of await reservations())
      await tolerate(send(options, { type: 'task.renew', target: taskId, data: { claimId } }));
    if (leaving?.aborted === true && (await reservations()).size === 0) left.abort();
  }

  async function claim(): Promise<void> {
    const isOver = (): boolean => [signal, draining, leaving].some((one) => one?.aborted === true);
    while (!isOver() && (await reservations()).size < agent.capacity && !(await rests())) {
      const answer = await send(options, { type: 'agent.claim-next', target, data: {} });
      if (answer.details['claimId'] === undefined) return;
    }
  }
}

type AgentCommand = {
  [Type in CommandTypeOf<'agent'>]: { readonly type: Type; readonly target: string; readonly data: CommandInput<Type> };
}[CommandTypeOf<'agent'>];

const send = ({ commands, agent }: CommandAgentOptions, command: AgentCommand): Promise<CommandAnswer> =>
  commands.send(command, { actor: `agent:${agentIdOf(agent.name)}`, correlationId: newId() });

/** A refusal here is no fault: the claim ended, or the agent was deactivated, meanwhile. */
async function tolerate(sent: Promise<CommandAnswer>): Promise<void> {
  await sent.catch((error: unknown) => {
    if (!(error instanceof CommandRefused)) throw error;
  });
}

async function repeat(
  options: CommandAgentOptions,
  act: () => Promise<void>,
  rest: () => Promise<void>,
): Promise<void> {
  while (!options.signal.aborted) {
    await persist(options, act);
    await rest().catch(() => undefined);
  }
}

/** Once, however long the services it needs are away; refusals are told and left. */
async function persist(
  { signal, logger, outages, agent }: CommandAgentOptions,
  act: () => Promise<unknown>,
): Promise<void> {
  await keepTrying(act, {
    signal,
    shortest: SHORTEST_RETRY_MILLISECONDS,
    longest: LONGEST_RETRY_MILLISECONDS,
    retryWhile: (error) => !(error instanceof CommandRefused),
    onFailed: (error) => {
      if (!signal.aborted && !outages.isTold(error))
        logger.warn({ err: error, agent: agent.name }, 'agent could not report: trying again');
    },
  }).catch((error: unknown) => {
    if (!(error instanceof CommandRefused)) throw error;
    logger.debug({ agent: agent.name, code: error.code }, `agent was refused: ${error.message}`);
  });
}

/** After these events there may be work for somebody. */
const WAKING = [
  'TaskCreated',
  'TaskRetried',
  'TaskClaimReleased',
  'TaskClaimExpired',
  'TaskCompleted',
  'DependencyRemoved',
  'AgentReleased',
  'AgentActivated',
  'AgentErrorCleared',
];

/** The read model that tells the next task may lag behind the event that woke us: look again soon after. */
const LOOK_AGAIN_MILLISECONDS = [20, 100, 500];
const POLL_MILLISECONDS = 2_000;
const LONGEST_REST_MILLISECONDS = 5_000;

/**
 * A hint when work may have come: every waiter is woken by the log, a few times shortly after, and by a slow poll, which is all
 * that is left while the log is away.
 */
export function createWakeUp(
  log: EventLog,
  outages: Outages,
  signal: AbortSignal,
): (signal: AbortSignal) => Promise<void> {
  const news = createWakeUps();
  void keepTrying(listen, {
    signal,
    shortest: 100,
    longest: LONGEST_REST_MILLISECONDS,
    onFailed: (error) => {
      if (!signal.aborted) outages.notice('event-log', error);
    },
  });

  async function listen(worked: () => void): Promise<never> {
    const after = await outages.watch('event-log', () => log.head());
    news.wake();
    for await (const { events } of log.subscribe({ after, types: WAKING, signal })) {
      worked();
      if (events.length > 0) ring();
    }
    throw new Error('the subscription has ended');
  }

  function ring(): void {
    news.wake();
    for (const delay of LOOK_AGAIN_MILLISECONDS) setTimeout(news.wake, delay).unref();
  }

  return (waiting) => news.next(POLL_MILLISECONDS, waiting);
}
