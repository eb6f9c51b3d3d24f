import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../contexts/stream.ts';
import { newApiKey, parseApiKey } from './api-key.ts';
import { createKeyMacs, newMacKey, noMacs, readMacKeys, type KeyMacs } from './key-macs.ts';

const [old, current] = [newMacKey(), newMacKey()];
const isOf = (macs: KeyMacs, key: string): boolean => {
  const { signed, mac } = parseApiKey(key)!;
  return macs.madeUnder(signed, mac ?? '') !== null;
};

test('a key is known by its MAC, and by nothing else', () => {
  const macs = createKeyMacs([current]);
  const { key, macKey } = newApiKey(newId(), macs);
  expect([isOf(macs, key), macKey]).toEqual([true, macs.name]);
  for (const place of [4, 40, 85, 100]) {
    const other = key.slice(0, place) + (key[place] === '0' ? '1' : '0') + key.slice(place + 1);
    expect([place, isOf(macs, other)]).toEqual([place, false]);
  }
  expect(isOf(createKeyMacs([old]), key)).toBe(false);
  expect(isOf(noMacs, key)).toBe(false);
});

test('while the MAC key is changed both are accepted, and the first signs', () => {
  const [before, both, after] = [createKeyMacs([old]), createKeyMacs([current, old]), createKeyMacs([current])];
  const made = [before, both].map((macs) => newApiKey(newId(), macs).key);
  expect(made.map((key) => isOf(both, key))).toEqual([true, true]);
  expect(made.map((key) => isOf(after, key))).toEqual([false, true]);
  expect([both.name, both.names]).toEqual([after.name, [after.name, before.name]]);
});

describe('a file of MAC keys', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'workledger-macs-'))));
  afterAll(() => rm(folder, { recursive: true }));
  const fileWith = async (text: string): Promise<string> => {
    const file = join(folder, newId());
    await writeFile(file, text);
    return file;
  };

  test('has one or two lines', async () => {
    expect((await readMacKeys(await fileWith(`${current}\n`))).names).toHaveLength(1);
    expect((await readMacKeys(await fileWith(`${current}\n${old}`))).names).toHaveLength(2);
  });

  test.each([
    ['nothing', '', 'there are 0 MAC keys'],
    ['three', [old, current, newMacKey()].join('\n'), 'there are 3 MAC keys'],
    ['something else', 'wlmac_short', 'line 1 is no MAC key'],
    ['an API key', newApiKey(newId()).key, 'line 1 is no MAC key'],
    ['a key with a space in it', `${current.slice(0, 20)} ${current.slice(21)}`, 'line 1 is no MAC key'],
  ])('%s is told with the file, and nothing of what it holds', async (_, text, told) => {
    const file = await fileWith(text);
    const error = await readMacKeys(file).catch((fault: Error) => fault.message);
    expect(error).toContain(`${file}: MAC keys of API keys cannot be read: ${told}`);
    for (const line of text.split('\n')) if (line !== '') expect(error).not.toContain(line.slice(6));
  });

  test('that is not there is told', async () => {
    await expect(readMacKeys(join(folder, 'none'))).rejects.toThrow(/none: MAC keys .* ENOENT/);
  });
});
