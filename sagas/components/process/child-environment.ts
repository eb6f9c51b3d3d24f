import { delimiter, isAbsolute } from 'node:path';

const ALWAYS = ['HOME', 'LANG'] as const;

/**
 * The whole environment of a child process: PATH, HOME, LANG and the variables named, nothing else.
 * Relative entries of PATH are left out: in a worktree they would let the branch choose the program.
 */
export function childEnvironment(
  named: readonly string[] = [],
  from: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const path = (from['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter).filter(isAbsolute).join(delimiter);
  const environment: Record<string, string> = {};
  for (const name of [...ALWAYS, ...named]) {
    const value = from[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, PATH: path };
}
