import { readFile } from 'node:fs/promises';
import { startCommand } from '../processes/program.ts';

const guides = new URL('../../docs/guides/', import.meta.url);

/**
 * Does what a guide's shell blocks say, word for word and in their order, in one shell under `set -eu`.
 * @param guide its file's name in infra/docs/guides
 * @returns the exit code, and what was written to both outputs
 */
export async function runGuide(
  guide: string,
  options: { readonly cwd: string; readonly environment: Readonly<Record<string, string>> },
): Promise<{ readonly code: number | NodeJS.Signals; readonly output: string }> {
  const text = await readFile(new URL(guide, guides), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  const shell = startCommand('sh', ['-euc', blocks.join('\n')], options);
  return { code: await shell.ended, output: shell.written.output };
}
