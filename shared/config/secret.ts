import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigurationError } from './configuration-error.ts';
import type { SecretSource } from './schema.ts';

/**
 * Reads a secret from an environment variable or a file (a closing line break is dropped).
 * @param place how errors name it, such as `webhooks.github.secrets[0]`
 * @param folder where a relative file starts
 * @throws ConfigurationError when it is absent or empty; the message never holds the secret
 */
export async function readSecret(
  source: SecretSource,
  { place, folder, environment = process.env }: { place: string; folder: string; environment?: NodeJS.ProcessEnv },
): Promise<string> {
  if ('env' in source) {
    const value = environment[source.env];
    if (value === undefined || value === '')
      throw new ConfigurationError(place, [
        `environment variable ${source.env} is not set → set it, or use {"file": …}`,
      ]);
    return value;
  }
  const file = resolve(folder, source.file);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(place, [
      `${file}: ${error.code ?? 'not readable'} → create it, readable for this user`,
    ]);
  });
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw new ConfigurationError(place, [`${file} is empty → write the secret into it`]);
  return value;
}

/** Reads a list of secrets; `place` names the list. @throws ConfigurationError */
export const readSecrets = (sources: readonly SecretSource[], place: string, folder: string): Promise<string[]> =>
  Promise.all(sources.map((source, index) => readSecret(source, { place: `${place}[${index}]`, folder })));
