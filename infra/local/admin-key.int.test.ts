import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startWriteSide, type WriteSide } from '@workledger/command-service/processes/testing.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { newApiKey, parseApiKey } from '@workledger/shared/security/api-key.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyMacs, newMacKey } from '@workledger/shared/security/key-macs.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureAdminKey, type AdminKey } from './admin-key.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';

let side: WriteSide;
let folder: SystemFolder;
beforeAll(async () => {
  side = await startWriteSide();
  folder = await systemFolder();
});
afterAll(async () => {
  await side.close();
  await folder.remove();
});

let macs = createKeyMacs([newMacKey()]);
const ensure = (): Promise<AdminKey> =>
  ensureAdminKey(folder.path, side.commands, createKeyStore(side.log, { macs }), side.log);
const roleOf = async (key: string) =>
  (await authenticateWith(createKeyStore(side.log, { macs }))(`Bearer ${key}`)).role;
const context = { actor: 'system', correlationId: newId() };

async function expectReplaced(): Promise<void> {
  const { key, file, replaced } = await ensure();
  expect([replaced, await roleOf(key), await readFile(file, 'utf8')]).toEqual([true, 'admin', `${key}\n`]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
}

test('the first key is new, and a kept one that is valid stays', async () => {
  const first = await ensure();
  expect([first.replaced, await roleOf(first.key)]).toEqual([false, 'admin']);
  expect(await ensure()).toEqual(first);
});

test('a file that was lost: the key that was in it is revoked when a new one is made', async () => {
  const { key, file } = await ensure();
  await rm(file);
  const after = await ensure();
  expect([after.replaced, await roleOf(after.key)]).toEqual([false, 'admin']);
  await expect(roleOf(key)).rejects.toThrow('not valid');
});

test('a kept key of a MAC key that was lost is replaced and revoked', async () => {
  const { key } = await ensure();
  const keyId = parseApiKey(key)?.keyId ?? '';
  macs = createKeyMacs([newMacKey()]);
  await expectReplaced();
  expect((await createKeyStore(side.log).find(keyId))?.revoked).toBe(true);
});

test('a kept key that this log does not know is replaced, whoever could read its file', async () => {
  const file = join(folder.path, 'admin-key');
  await rm(file);
  await writeFile(file, newApiKey(newId()).key, { mode: 0o644 });
  await expectReplaced();
});

test('a kept key that was revoked is replaced', async () => {
  const { key } = await ensure();
  const target = parseApiKey(key)?.keyId ?? '';
  await side.commands.send({ type: 'key.revoke', target, data: {} }, context);
  await expectReplaced();
});

test("a kept key that is not an administrator's is replaced, and one that is no key at all", async () => {
  const id = newId();
  const { key, secretHash } = newApiKey(id);
  const data = { name: 'for looking', role: 'viewer', secretHash };
  await side.commands.send({ type: 'key.create', target: id, data }, context);
  for (const kept of [key, 'not a key', '']) {
    await writeFile(join(folder.path, 'admin-key'), kept);
    await expectReplaced();
  }
});
