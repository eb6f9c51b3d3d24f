import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { newApiKey, parseApiKey, readKeyFile } from '@workledger/shared/security/api-key.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyMacs, newMacKey, readMacKeys } from '@workledger/shared/security/key-macs.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWriteSide, typesOf, type WriteSide } from '../processes/testing.ts';
import { makeKeyFile, registerKeyFiles, type KeyFiles } from './key-files.ts';
import { nodeArguments } from '@workledger/infra/testing/processes/program.ts';

let side: WriteSide;
let folder: string;
beforeAll(async () => {
  side = await startWriteSide();
  folder = await mkdtemp(join(tmpdir(), 'workledger-keys-'));
});
afterAll(async () => {
  await side.close();
  await rm(folder, { recursive: true });
});

const macs = createKeyMacs([newMacKey()]);
const newFile = (): string => join(folder, newId());
const register = (files: KeyFiles, commands: Commands = side.commands) =>
  registerKeyFiles(files, commands, createKeyStore(side.log, { macs }), side.log);
const roleOf = async (file: string) =>
  (await authenticateWith(createKeyStore(side.log, { macs }))(`Bearer ${await readKeyFile(file)}`)).role;
const streamOf = async (file: string) => `key-${parseApiKey(await readKeyFile(file))?.keyId}`;
const system = { actor: 'system', correlationId: newId() };

async function fileWith(text: string): Promise<string> {
  const file = newFile();
  await writeFile(file, text);
  return file;
}

/** A file whose key the log knows, under a role. */
async function known(role: Role): Promise<{ file: string; id: string }> {
  const id = newId();
  const { key, secretHash } = newApiKey(id);
  await side.commands.send({ type: 'key.create', target: id, data: { name: 'x', role, secretHash } }, system);
  return { file: await fileWith(key), id };
}

describe('making a key file', () => {
  test('it holds a key, for its owner only, in a folder that need not be there', async () => {
    const file = join(newFile(), 'deep', 'service-key');
    expect(await makeKeyFile(file)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(parseApiKey(await readKeyFile(file))).not.toBeNull();
  });

  test('one that is there stays as it is', async () => {
    const file = await fileWith('mine');
    expect([await makeKeyFile(file), await readFile(file, 'utf8')]).toEqual([false, 'mine']);
  });

  test('of several makers at once one wins, and nothing else is left', async () => {
    const file = join(newFile(), 'key');
    const made = await Promise.all(Array.from({ length: 20 }, () => makeKeyFile(file)));
    expect(made.filter((won) => won)).toHaveLength(1);
    expect(await readdir(join(file, '..'))).toEqual(['key']);
  });

  test('where it cannot be, that is said', async () => {
    const file = join(await fileWith(''), 'key');
    await expect(makeKeyFile(file)).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});

describe('registering key files', () => {
  test('each key works under its role, and only the hash is in the log', async () => {
    const [adminKeyFile, serviceKeyFile] = [newFile(), newFile()];
    await Promise.all([makeKeyFile(adminKeyFile, macs), makeKeyFile(serviceKeyFile)]);
    await register({ adminKeyFile, serviceKeyFile });
    expect([await roleOf(adminKeyFile), await roleOf(serviceKeyFile)]).toEqual(['admin', 'service']);
    for await (const { data } of side.log.readStream(await streamOf(serviceKeyFile)))
      expect(JSON.stringify(data)).not.toContain(parseApiKey(await readKeyFile(serviceKeyFile))?.secret);
  });

  test('again, and by several instances at once, it adds nothing', async () => {
    const serviceKeyFile = newFile();
    await makeKeyFile(serviceKeyFile);
    const instances = [side.commands, await side.another(), await side.another()];
    await Promise.all(instances.map((commands) => register({ serviceKeyFile }, commands)));
    await register({ serviceKeyFile });
    expect(await typesOf(side.log, await streamOf(serviceKeyFile))).toEqual(['KeyCreated']);
  });

  test('a new first key of an administrator revokes the ones before, and no other', async () => {
    const before = newFile();
    await makeKeyFile(before, macs);
    await register({ adminKeyFile: before });
    const { file: other } = await known('admin');
    const after = newFile();
    await makeKeyFile(after, macs);
    await register({ adminKeyFile: after });
    expect([await roleOf(after), await roleOf(other)]).toEqual(['admin', 'admin']);
    await expect(roleOf(before)).rejects.toThrow('not valid');
    expect(await typesOf(side.log, await streamOf(before))).toEqual(['KeyCreated', 'KeyRevoked']);
    await register({ adminKeyFile: after });
    expect(await typesOf(side.log, await streamOf(after))).toEqual(['KeyCreated']);
  });

  test('killed before the new key is known: the one before is revoked, and the next start goes on', async () => {
    const [before, after] = [newFile(), newFile()];
    await Promise.all([makeKeyFile(before, macs), makeKeyFile(after, macs)]);
    await register({ adminKeyFile: before });
    const killed: Commands = {
      send: (command, context) =>
        command.type === 'key.create' ? Promise.reject(new Error('killed')) : side.commands.send(command, context),
    };
    await expect(register({ adminKeyFile: after }, killed)).rejects.toThrow('killed');
    await expect(roleOf(before)).rejects.toThrow('not valid');
    await register({ adminKeyFile: after });
    expect(await roleOf(after)).toBe('admin');
  });

  test('none named, none registered', async () => {
    const before = await side.log.head();
    await register({ adminKeyFile: undefined });
    expect(await side.log.head()).toBe(before);
  });

  const other = async () => {
    const { id } = await known('service');
    return fileWith(newApiKey(id).key);
  };
  const revoked = async () => {
    const { file, id } = await known('service');
    await side.commands.send({ type: 'key.revoke', target: id, data: {} }, system);
    return file;
  };
  test.each([
    ['a file that is not there', async () => newFile(), 'there is no such file'],
    ['a folder', async () => folder, 'this is a folder'],
    ['no key', async () => fileWith('hello'), 'this is no API key'],
    ['nothing', async () => fileWith(''), 'this is no API key'],
    ['another secret under the same id', other, 'another secret'],
    ['a key that was revoked', revoked, 'was revoked'],
    [
      'a key of another MAC key',
      async () => fileWith(newApiKey(newId(), createKeyMacs([newMacKey()])).key),
      'not in use',
    ],
    ['a key of another role', async () => (await known('admin')).file, 'a key of role admin, not service'],
  ])('%s: one line names the file, and nothing is appended', async (_, make, told) => {
    const serviceKeyFile = await make();
    const before = await side.log.head();
    const error = await register({ serviceKeyFile }).catch((fault: Error) => fault.message);
    expect(error).toMatch(new RegExp(`^${serviceKeyFile}: .*${told}.*$`));
    expect(error).not.toMatch(/wl_|\n/);
    expect(await side.log.head()).toBe(before);
  });
});

describe('the program', () => {
  const program = fileURLToPath(new URL('make-key-files.program.ts', import.meta.url));
  const run = (...options: string[]) =>
    promisify(execFile)(process.execPath, [...nodeArguments(program), ...options]).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
    );

  test('makes what is missing, keeps what is there, and never shows a key', async () => {
    const [mac, admin, service] = [newFile(), newFile(), newFile()];
    await makeKeyFile(admin);
    const { code, stdout } = await run('--mac', mac, '--admin', admin, '--service', service);
    expect([code, stdout]).toEqual([0, `made ${mac}\nkept ${admin}\nmade ${service}\n`]);
    const { signed, mac: made } = parseApiKey(await readKeyFile(service))!;
    expect((await readMacKeys(mac)).madeUnder(signed, made ?? '')).not.toBeNull();
    expect((await stat(mac)).mode & 0o777).toBe(0o600);
  });

  test('says so when a file holds no key', async () => {
    const { code, stderr } = await run('--admin', await fileWith('hello'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('this is no API key')]);
  });

  test('without a file, or with one for both keys, tells how it is used', async () => {
    const file = newFile();
    for (const options of [[], ['--admin', file, '--service', file], ['--key', file]]) {
      const { code, stderr } = await run(...options);
      expect([code, stderr]).toEqual([2, expect.stringContaining('Usage:')]);
    }
  });
});
