import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authenticateBySecret, makeSecretFile, readSecretFile } from './shared-secret.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'workledger-secret-'))));
afterAll(() => rm(folder, { recursive: true }));

test('a file is made once, for its owner only, and is what both read', async () => {
  const file = join(folder, 'deep', 'key');
  expect([await makeSecretFile(file), await makeSecretFile(file)]).toEqual([true, false]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readSecretFile(file)).toBe((await readFile(file, 'utf8')).trim());
});

test.each(['', 'zzz', 'z'.repeat(64)])(
  'a file with "%s" is none: the line names it, not what is in it',
  async (text) => {
    const file = join(folder, 'bad');
    await writeFile(file, text);
    await expect(readSecretFile(file)).rejects.toThrow(/^\S+bad: this is no shared secret: make it with [^z]*$/);
  },
);

test('a file that is not there is named', () =>
  expect(readSecretFile(join(folder, 'none'))).rejects.toThrow(/none: ENOENT: make it with/));

test('the secret opens, and nothing else does', () => {
  const secret = 'a'.repeat(64);
  const peer = { address: '127.0.0.1', forwardedFor: undefined };
  const authenticate = authenticateBySecret(secret, 'sagas', 'service');
  expect(authenticate(`Bearer ${secret}`, peer)).toMatchObject({ role: 'service', actor: 'sagas' });
  for (const wrong of [undefined, '', secret, 'Bearer ', `Bearer ${'b'.repeat(64)}`, `Bearer ${secret}a`])
    expect(() => authenticate(wrong, peer)).toThrow(/shared secret/);
});
