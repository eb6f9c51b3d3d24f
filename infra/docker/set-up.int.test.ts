import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { nodeArguments } from '../testing/processes/program.ts';

const folder = await mkdtemp(join(tmpdir(), 'workledger-set-up-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const files = {
  mac: 'mac/mac-key',
  admin: 'keys/admin-key',
  service: 'service/service-key',
  runner: 'runner/runner-key',
  webhook: 'demo/webhook-secret',
};
const program = join(import.meta.dirname, 'set-up.program.ts');
const options = Object.entries(files).map(([name, file]) => `--${name}=${join(folder, file)}`);
const setUp = (...more: string[]) => promisify(execFile)(process.execPath, [...nodeArguments(program), ...more]);
const contents = () => Promise.all(Object.values(files).map((file) => readFile(join(folder, file), 'utf8')));

it('makes keys and secret for their owner only, once', async () => {
  const [owner, group] = process.getuid?.() === 0 ? [1234, 1235] : [process.getuid?.(), process.getgid?.()];
  expect((await setUp(...options, `--owner=${owner}:${group}`)).stdout.match(/^made /gm)).toHaveLength(5);
  const made = await contents();
  expect(new Set(made).size).toBe(5);
  for (const file of Object.values(files)) {
    const { mode, uid, gid } = await stat(join(folder, file));
    expect([(mode & 0o777).toString(8), uid, gid]).toEqual(['600', owner, group]);
  }
  expect((await setUp(...options, `--owner=${owner}:${group}`)).stdout.match(/^kept /gm)).toHaveLength(5);
  expect(await contents()).toEqual(made);
});

it('tells how it is used where something is missing', async () => {
  await expect(setUp('--owner=me')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('Usage: ') });
});
