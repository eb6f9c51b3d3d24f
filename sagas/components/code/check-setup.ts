import { resolve } from 'node:path';
import { checkAgent } from './check-agent.ts';
import { checkRepository } from './check-repository.ts';
import type { CheckResult } from './check-result.ts';
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
