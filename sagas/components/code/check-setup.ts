import { isAbsolute, resolve } from 'node:path';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { findExecutable } from '../process/find-executable.ts';
import { checkRepository, type CheckResult } from './check-repository.ts';
import type { CodeEnvironment } from './environment.ts';

/** Tries every repository and every agent of the configuration; tells each result as soon as it is known. */
export async function checkSetup(
  options: Pick<CodeEnvironment, 'configuration' | 'dataFolder'>,
  told: (result: CheckResult) => void = () => undefined,
): Promise<CheckResult[]> {
  const { configuration } = options;
  const dataFolder = resolve(options.dataFolder);
  const results: CheckResult[] = [];
  const take = (found: readonly CheckResult[]): void => {
    for (const result of found) told(result);
    results.push(...found);
  };
  for (const repository of configuration.repositories)
    take(await checkRepository({ configuration, dataFolder }, repository));
  for (const agent of configuration.agents) take(await checkAgent(agent));
  return results;
}

/** Whether an agent's executable is there and may be run. Nothing is started. */
async function checkAgent({ name, command, environment }: AgentConfiguration): Promise<CheckResult[]> {
  const subject = `agent "${name}"`;
  const [executable = ''] = command;
  const missing = environment.filter((variable) => process.env[variable] === undefined);
  return [
    { subject: `${subject}: executable`, ...(await tryExecutable(executable)) },
    ...(missing.length === 0
      ? []
      : [{ subject: `${subject}: environment`, ok: false, detail: `set ${missing.join(', ')}, or do not name it` }]),
  ];
}

async function tryExecutable(executable: string): Promise<{ ok: boolean; detail: string }> {
  if (executable.includes('/') && !isAbsolute(executable))
    return { ok: false, detail: `"${executable}" would be looked for in the work's own branch: use an absolute path` };
  const found = await findExecutable(executable, '/');
  return found === null
    ? {
        ok: false,
        detail: `"${executable}" is not there or not executable: install it, or name it by an absolute path`,
      }
    : { ok: true, detail: found };
}
