import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { MadeApp } from './flow.ts';

type Place = {
  readonly configurationFile: string;
  readonly dataFolder: string;
  /** Of GitHub's API, where it is not the one that is configured. */
  readonly url: string | null;
};

/**
 * Writes the secrets of an app into files that only their owner may read, and into the configuration where they are. All else there stays.
 * @returns what was written, a line each: no secret is among it
 */
export async function keepApp(app: MadeApp, { configurationFile, dataFolder, url }: Place): Promise<string[]> {
  const folder = join(dataFolder, 'github-app');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder, `${app.id}.${name}`);
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
    return file;
  };
  const key = await write('private-key.pem', app.pem);
  const secret = await write('webhook-secret', `${app.webhook_secret}\n`);
  const file = resolve(configurationFile);
  const from = (path: string): string => relative(dirname(file), path);
  await changeJson(file, (before) => {
    const { token: _token, ...github } = asObject(before['github']);
    const webhooks = asObject(before['webhooks']);
    // Webhooks of before go on: two secrets may be in use.
    const { secrets } = asObject(webhooks['github']);
    const old = Array.isArray(secrets) ? (secrets as unknown[]).slice(0, 1) : [];
    return {
      ...before,
      github: { ...github, ...(url !== null && { url }), app: { id: app.id, key: { file: from(key) } } },
      webhooks: { ...webhooks, github: { ...asObject(webhooks['github']), secrets: [{ file: from(secret) }, ...old] } },
    };
  });
  return [
    `the app "${app.slug}" is made`,
    `its private key is in ${key}`,
    `its webhook secret is in ${secret}`,
    `${file} names both, as "github" and "webhooks.github": start Workledger again`,
  ];
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

async function changeJson(file: string, change: (before: Record<string, unknown>) => object): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{}';
    throw error;
  });
  const beside = `${file}.new`;
  await writeFile(beside, `${JSON.stringify(change(asObject(JSON.parse(text))), null, 2)}\n`);
  await rename(beside, file);
}
