import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { ConfigurationError, crossCheck, describeFaults } from './faults.ts';
import { overlayFaults, type Written } from './effective.ts';
import { configurationSchema, type Configuration, type Repository } from './schema.ts';
import type { SecretSource } from './secret-source.ts';

export type LoadedConfiguration = {
  readonly configuration: Configuration;
  /** Absolute: relative paths of the configuration start here. */
  readonly folder: string;
  /** As it is written: what is set by the API is laid over it. */
  readonly written: Written;
};

const DEFAULT_NAME = 'workledger.json';

/**
 * Reads the configuration. Without a path: `workledger.json` of the working folder, or the defaults where there is none.
 * @throws ConfigurationError with one line a fault: where, what, how to mend
 */
export async function loadConfiguration(path?: string, workingFolder = process.cwd()): Promise<LoadedConfiguration> {
  const file = resolve(workingFolder, path ?? DEFAULT_NAME);
  const text = await readText(file, path === undefined);
  const written = readWritten(text ?? '{}', file);
  const folder = dirname(file);
  return { configuration: placed(checkWritten(written, file), folder), folder, written };
}

/** The same with absolute paths. @param folder where relative ones start */
export function placed(configuration: Configuration, folder: string): Configuration {
  const repositories = configuration.repositories.map((repository) => ({
    ...withAbsolutePaths(repository, folder),
    url: isRelativePath(repository.url) ? resolve(folder, repository.url) : repository.url,
  }));
  const agents = configuration.agents.map((agent) => withAbsolutePaths(agent, folder));
  const { tls } = configuration;
  const files =
    tls !== null && 'key' in tls
      ? { certificate: resolve(folder, tls.certificate), key: resolve(folder, tls.key) }
      : tls;
  return { ...configuration, repositories, agents, tls: files };
}

/** `~/…` stays: it means the home of whoever runs the program, which the sandbox knows. */
function withAbsolutePaths<Opened extends Pick<Repository, 'read' | 'write'>>(opened: Opened, folder: string): Opened {
  const absolute = (path: string): string => (/^~(\/|$)/.test(path) ? path : resolve(folder, path));
  return { ...opened, read: opened.read.map(absolute), write: opened.write.map(absolute) };
}

/** Neither `scheme://…` nor `host:path`, which git takes for an address, nor an absolute path. */
const isRelativePath = (url: string): boolean => !isAbsolute(url) && !/^[^/]*:/.test(url);

/** Parses the configuration's text; `file` is how errors name it. @throws ConfigurationError */
export const parseConfiguration = (text: string, file: string): Configuration =>
  checkWritten(readWritten(text, file), file);

function readWritten(text: string, file: string): Written {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as Written;
  } catch (error) {
    throw new ConfigurationError(file, [`${(error as Error).message} → make it valid JSON`]);
  }
}

function checkWritten(written: Written, file: string): Configuration {
  const parsed = configurationSchema.safeParse(written);
  if (!parsed.success) throw new ConfigurationError(file, describeFaults(parsed.error, written));
  const faults = [...crossCheck(parsed.data), ...overlayFaults(written)];
  if (faults.length > 0) throw new ConfigurationError(file, faults);
  return parsed.data;
}

async function readText(file: string, mayBeMissing: boolean): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && mayBeMissing) return null;
    const remedy =
      code === 'ENOENT' ? 'no such file → create it, or name another with --config' : `${code} → make it readable`;
    throw new ConfigurationError(file, [remedy]);
  }
}

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
