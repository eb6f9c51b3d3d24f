import type { Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { newId } from '@workledger/shared/events/stream.ts';
import type { Heartbeats } from './heartbeats.ts';

const MISSED_BEATS = 3;
const LONGEST_LEASE_SECONDS = 86_400;

export type AgentMonitorOptions = {
  readonly commands: Commands;
  readonly heartbeats: Heartbeats;
  readonly heartbeatSeconds: number;
  /** A pass that failed; the next one tries again. */
  readonly onError?: (error: unknown) => void;
};

/** Disconnects agents that missed three beats, a pass a heartbeat. `stop` resolves when the pass under way has ended. */
export function startAgentMonitor(options: AgentMonitorOptions): { stop(): Promise<void> } {
  let pass: Promise<void> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    pass = disconnectSilentAgents(options)
      .catch((error: unknown) => options.onError?.(error))
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
export async function disconnectSilentAgents(options: AgentMonitorOptions): Promise<void> {
  const { commands, heartbeats, heartbeatSeconds } = options;
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
