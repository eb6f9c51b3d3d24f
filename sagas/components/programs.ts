import { basename, isAbsolute } from 'node:path';
import { executableOf } from '@workledger/shared/config/agent-profiles.ts';
import type { AgentConfiguration, Configuration } from '@workledger/shared/config/schema.ts';
import { createOpenEvolveCheck } from './evolution/packages.ts';
import { installedAutogenlib } from './generation/autogenlib.ts';
import { findExecutable } from './process/executable.ts';
import { opened } from './sandbox/policy.ts';
import { Unfit } from './state.ts';
import { createTrials, TRIAL_PATIENCE, tryProgram, type TrialPlace } from './try-program.ts';
import type { Systems, Watched } from './watch.ts';

/** How the programs that calls start on this machine are called among what is watched. */
const OPENEVOLVE = 'openevolve';
const autogenlibOf = (repository: string): string => `autogenlib ${repository}`;
const agentProgram = (name: string): string => `agent ${name}`;

type Named = Pick<Configuration, 'agents' | 'repositories'>;

/** Programs that the configuration has somebody start. */
export const programNames = ({ agents, repositories }: Named): readonly string[] => [
  ...agents.map(({ name }) => agentProgram(name)),
  ...(repositories.some(({ evolve }) => evolve?.openevolve !== undefined) ? [OPENEVOLVE] : []),
  ...repositories.flatMap(({ name, generate }) => (generate?.autogenlib ? [autogenlibOf(name)] : [])),
];

/** The programs that the configuration has this process start, as they are looked at: nothing of that does work, or costs anything. */
export function programsOf(configuration: Named, place: TrialPlace, trials = createTrials()): Systems {
  const watched = (check: (signal: AbortSignal) => Promise<void>): Watched => ({
    ...{ kind: 'program', patience: TRIAL_PATIENCE, check },
  });
  const checks = new Map<string, (signal: AbortSignal) => Promise<void>>([
    ...configuration.agents.map(
      (agent) => [agentProgram(agent.name), (signal: AbortSignal) => checkAgent(agent, place, trials, signal)] as const,
    ),
    [OPENEVOLVE, createOpenEvolveCheck(place, trials)],
    ...configuration.repositories.map(
      ({ name, generate }) =>
        [
          autogenlibOf(name),
          async (signal: AbortSignal) => {
            if (generate?.autogenlib) await installedAutogenlib(generate.autogenlib.python, place, signal, trials);
          },
        ] as const,
    ),
  ]);
  return Object.fromEntries(programNames(configuration).map((name) => [name, watched(checks.get(name)!)]));
}

/** Its executable is there; where it is the one that its profile is made for, it is asked for its version. @throws Unfit */
async function checkAgent(
  agent: AgentConfiguration,
  place: TrialPlace,
  trials: ReturnType<typeof createTrials>,
  signal: AbortSignal,
): Promise<void> {
  const [executable = ''] = agent.command;
  const name = basename(executable);
  if (executable.includes('/') && !isAbsolute(executable))
    throw new Unfit(`"${name}" is named by a relative path, and would be looked for in the work's own branch`);
  const found = await findExecutable(executable, '/');
  if (found === null) throw new Unfit(`"${name}" is not there, or may not be run`);
  // Whatever else a command starts might take this for its work.
  if (name !== executableOf(agent.profile)) return;
  const { limits } = agent;
  const readable = [...opened(agent, 'read'), ...opened(agent, 'write')];
  await trials([found], () => tryProgram(place, { command: [executable, '--version'], readable, limits }, signal));
}
