import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { temporaryFolder, removeFolder } from '../../testing/processes/folder.ts';
import { startCommand } from '../../testing/processes/program.ts';
import { until } from '../../testing/processes/until.ts';

const SOURCE = `export type Unused = {
  readonly lines: 'that the built file has not';
};
const beside = require('node:path') as typeof import('node:path');
function fail(): never {
  throw new Error('planted ${'é'}');
}
try {
  fail();
} catch (error) {
  console.log(typeof beside.join, __filename.endsWith('program.cjs'), (error as Error).stack);
}
setTimeout(() => undefined, Number(process.argv[2]));
`;

test('a built program runs the same from what V8 made of it before, and tells places in its source where it is asked to', async () => {
  const folder = await temporaryFolder('run-built');
  try {
    writeFileSync(join(folder, 'program.ts'), SOURCE);
    const rules = { outdir: folder, outbase: folder, bundle: true, platform: 'node', format: 'cjs' } as const;
    await build({
      ...rules,
      entryPoints: [join(folder, 'program.ts')],
      outExtension: { '.js': '.cjs' },
      sourcemap: 'linked',
      minifyWhitespace: true,
    });
    await build({ ...rules, entryPoints: [join(import.meta.dirname, 'run-built.ts')], outbase: import.meta.dirname });
    const starter = join(folder, 'starter.cjs');
    const body = join(folder, 'program.cjs');
    writeFileSync(starter, `require('./run-built.js').runBuilt(${JSON.stringify(body)});`);
    const run = (milliseconds: number, ...options: string[]) =>
      startCommand(process.execPath, [...options, starter, String(milliseconds)]);
    const kept = (): string[] => readdirSync(folder).filter((name) => name.startsWith('program.cjs.v'));

    const first = run(600_000);
    await until('what V8 made of it', () => kept().length > 0);
    await first.end('SIGKILL');
    const told = first.written.stdout;
    expect(told).toMatch(/^function true Error: planted é\n {4}at fail \(.*program\.cjs:1:\d+\)\n/);

    const again = run(0);
    expect([await again.ended, again.written.stdout]).toEqual([0, told]);

    const mapped = run(0, '--enable-source-maps');
    await mapped.ended;
    expect(mapped.written.stdout).toContain(`at fail (${join(folder, 'program.ts')}:6:9)\n`);

    const [cache = ''] = kept().map((name) => join(folder, name));
    writeFileSync(cache, readFileSync(cache).subarray(0, 100));
    const spoilt = run(0);
    expect([await spoilt.ended, spoilt.written.stdout]).toEqual([0, told]);
  } finally {
    await removeFolder(folder);
  }
});
