import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer, Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { registered } from '../domain/agent.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

/**
 * A sign of life of an agent. First the beat, then the log: the monitor watches whom it has heard of, so nobody is connected
 * and unwatched.
 * @throws CommandRefused
 */
export async function beatAgent(
  room: Room,
  agentId: string,
  context: StepContext,
  ...others: readonly string[]
): Promise<CommandAnswer> {
  const agent = await room.agents.load(agentId);
  if (recall(agent.commands, context.commandId, context.commandHash) === undefined) {
    registered(agent.state);
    checkRevision(agent, context);
  }
  await room.heartbeats.beat(`agent:${agentId}`, ...others);
  return room.agents.handle(agentId, { type: 'agent.reconnect', data: {} }, context);
}

/** Whether the coordinator that an agent is to have is one; a repeat is not asked again. @throws CommandRefused */
export async function checkCoordinator(
  room: Room,
  agentId: string,
  { coordinatorId }: { readonly coordinatorId?: string | null | undefined },
  context: StepContext,
): Promise<void> {
  if (coordinatorId === undefined || coordinatorId === null) return;
  const { registration, deregistered } = (await room.agents.load(coordinatorId)).state;
  if (registration?.kind === 'coordinator' && !deregistered) return;
  if (recall((await room.agents.load(agentId)).commands, context.commandId, context.commandHash) !== undefined) return;
  refuse('unknown-reference', `coordinatorId: there is no coordinator ${coordinatorId}`, {
    field: 'coordinatorId',
    agentId: coordinatorId,
  });
}

const MISSED_BEATS = 3;
const LONGEST_LEASE_SECONDS = 86_400;

export type AgentMonitorOptions = {
  readonly commands: Commands & { readonly heartbeats: Heartbeats };
  readonly heartbeatSeconds: number;
  /** Agents that are deregistered and have keys left, as read models know them; default: none. */
  readonly agentsWithKeysLeft?: () => Promise<readonly string[]>;
  readonly logger: Pick<Logger, 'debug' | 'error'>;
};

/**
 * Disconnects agents that missed three beats, and finishes deregistrations that were left half done, a pass a heartbeat. `stop` resolves
 * when the pass under way has ended; `heed` is called where the heartbeat may have been changed.
 */
export function startAgentMonitor(options: AgentMonitorOptions): { stop(): Promise<void>; heed(): void } {
  let pass: Promise<void> = Promise.resolve();
  let busy = false;
  let beatsEach = options.heartbeatSeconds;
  let timer = setTimeout(beat, 1_000 * beatsEach).unref();
  const again = (): void => {
    beatsEach = options.heartbeatSeconds;
    timer = setTimeout(beat, 1_000 * beatsEach).unref();
  };
  function beat(): void {
    again();
    if (busy) return;
    busy = true;
    pass = disconnectSilentAgents(options)
      .then(() => finishDeregistrations(options))
      .catch((error: unknown) =>
        // That a server is away is told by the process, once.
        options.logger[isAway(error) ? 'debug' : 'error'](
          { err: error },
          'silent agents could not be looked for: next try in a beat',
        ),
      )
      .finally(() => (busy = false));
  }
  return {
    stop: () => {
      clearTimeout(timer);
      return pass;
    },
    heed: () => {
      // Whatever else is changed again and again puts off no pass.
      if (options.heartbeatSeconds === beatsEach) return;
      clearTimeout(timer);
      again();
    },
  };
}

/** Revokes the keys of agents whose deregistration was killed half way, or met a key that was just made. */
export async function finishDeregistrations({
  commands,
  agentsWithKeysLeft = async () => [],
}: Pick<AgentMonitorOptions, 'commands' | 'agentsWithKeysLeft'>): Promise<void> {
  for (const target of await agentsWithKeysLeft()) {
    const command = { type: 'agent.finish-deregistration', target, data: {} };
    await commands.send(command, { actor: 'system', correlationId: newId() });
  }
}

/** One pass. Beats that can no longer matter are forgotten: those of the disconnected, and of claims long expired. */
export async function disconnectSilentAgents({
  commands,
  heartbeatSeconds,
}: Omit<AgentMonitorOptions, 'logger'>): Promise<void> {
  const { heartbeats } = commands;
  const silent = await heartbeats.silent('agent', MISSED_BEATS * heartbeatSeconds);
  for (const { subject, beatAt } of silent) {
    const data = { lastBeatAt: beatAt.toISOString() };
    const target = subject.slice('agent:'.length);
    try {
      await commands.send({ type: 'agent.disconnect', target, data }, { actor: 'system', correlationId: newId() });
    } catch (error) {
      // Somebody beat for an agent that was never registered: there is nobody to disconnect.
      if (!(error instanceof CommandRefused)) throw error;
    }
  }
  await heartbeats.forget(silent);
  await heartbeats.forget(await heartbeats.silent('claim', LONGEST_LEASE_SECONDS));
}
