import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonPackages } from '../processes/python.ts';
import { fuzzConfiguration, onlyAsked, type Described, type FuzzChoice } from './configuration.ts';

const requirements = join(import.meta.dirname, 'schemathesis-requirements.txt');

export const HOW_TO_GET_IT =
  'the fuzz of the API needs Python 3.11 or newer with pip (`apt-get install python3-pip`), and PyPI';

/** The folder with the pinned schemathesis. @throws Error: Python, pip or the packages cannot be had */
export const schemathesis = (): Promise<string> => pythonPackages('schemathesis', requirements);

export type Fuzz = FuzzChoice & {
  /** Where the API listens. */
  readonly url: string;
  /** Keys of an administrator and of a service; told to the checker by its environment. */
  readonly keys: { readonly admin: string; readonly service: string };
  /** An empty folder for what it writes. */
  readonly folder: string;
  /** Called with what it prints, as it comes. */
  readonly onOutput?: (text: string) => void;
};

/**
 * Sends the API what its own description allows, and what it does not.
 * @returns whether all answers were as described, and the report: each finding with the `curl` line that shows it
 */
export async function fuzzApi(
  program: string,
  { url, keys, folder, onOutput, ...chosen }: Fuzz,
): Promise<{ readonly holds: boolean; readonly report: string }> {
  const whole = (await (await fetch(new URL('/api/v1/openapi.json', url))).json()) as Described;
  const described = onlyAsked(whole, chosen);
  const configuration = join(folder, 'schemathesis.toml');
  const description = join(folder, 'openapi.json');
  await writeFile(configuration, fuzzConfiguration(described, chosen));
  await writeFile(description, JSON.stringify(described));
  const args = ['-m', 'schemathesis.cli', '--config-file', configuration, 'run', description, '--url', url];
  const child = spawn('python3', args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      LANG: 'C.UTF-8',
      PYTHONPATH: program,
      PYTHONDONTWRITEBYTECODE: '1',
      COLUMNS: '160',
      WORKLEDGER_ADMIN_KEY: keys.admin,
      WORKLEDGER_SERVICE_KEY: keys.service,
    },
  });
  let report = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      report += text;
      onOutput?.(text);
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { holds: code === 0, report };
}
