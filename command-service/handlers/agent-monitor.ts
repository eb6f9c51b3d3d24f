import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import type { CommandHandlers } from './create-command-handlers.ts';

const MISSED_BEATS = 3;
const LONGEST_LEASE_SECONDS = 86_400;

export type AgentMonitorOptions = {
  readonly commands: CommandHandlers;
  readonly heartbeatSeconds: number;
  readonly logger: Pick<Logger, 'debug' | 'error'>;
};

/** Disconnects agents that missed three beats, a pass a heartbeat. `stop` resolves when the pass under way has ended. */
export function startAgentMonitor(options: AgentMonitorOptions): { stop(): Promise<void> } {
  let pass: Promise<void> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    pass = disconnectSilentAgents(options)
      .catch((error: unknown) =>
        // That a server is away is told by the process, once.
        options.logger[isAway(error) ? 'debug' : 'error'](
          { err: error },
          'silent agents could not be looked for: next try in a beat',
        ),
      )
      .finally(() => (busy = false));
  }, options.heartbeatSeconds * 1_000);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return pass;
    },
  };
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
