import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { runCommandAgent, type CommandAgentOptions } from './command-agent.ts';

type Options = Omit<CommandAgentOptions, 'agent' | 'leaving'> & {
  /** As they are configured now. */
  readonly agents: () => readonly AgentConfiguration[];
};

type Running = {
  readonly registered: string;
  readonly leaving: AbortController;
  readonly ending: AbortController;
  readonly ended: Promise<void>;
};

const LOOK_MILLISECONDS = 500;

/** What an agent is registered with: all else of it is read when it works. */
const registeredAs = ({ capabilities, capacity }: AgentConfiguration): string =>
  JSON.stringify([capabilities, capacity]);

/**
 * Runs the agents that are configured, until the signal aborts: one that is new is registered, one that changed is registered again,
 * one that is configured no more finishes what it holds and claims nothing.
 */
export async function runConfiguredAgents(options: Options): Promise<void> {
  const { agents, signal } = options;
  const running = new Map<string, Running>();
  const failed = new AbortController();
  let failure: unknown;

  function begin(agent: AgentConfiguration): void {
    const [leaving, ending] = [new AbortController(), new AbortController()];
    const own = { agent, leaving: leaving.signal, signal: AbortSignal.any([signal, ending.signal]) };
    const ended = runCommandAgent({ ...options, ...own })
      .catch((error: unknown) => {
        failure = error;
        failed.abort();
      })
      .finally(() => running.get(agent.name)?.ending === ending && running.delete(agent.name));
    running.set(agent.name, { registered: registeredAs(agent), leaving, ending, ended });
  }

  async function look(): Promise<void> {
    const wanted = new Map(agents().map((agent) => [agent.name, agent]));
    for (const [name, { leaving }] of running) if (!wanted.has(name)) leaving.abort();
    for (const [name, agent] of wanted) {
      const found = running.get(name);
      if (found !== undefined && found.registered === registeredAs(agent) && !found.leaving.signal.aborted) continue;
      found?.ending.abort();
      await found?.ended;
      begin(agent);
    }
  }

  const over = AbortSignal.any([signal, failed.signal]);
  while (!over.aborted) {
    await look();
    await pause(LOOK_MILLISECONDS, over);
  }
  await Promise.all([...running.values()].map(({ ended }) => ended));
  if (failed.signal.aborted) throw failure;
}
