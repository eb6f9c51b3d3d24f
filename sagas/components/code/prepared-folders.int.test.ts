import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { copyPrepared, findPrepared, keepPrepared, type PreparedBounds, sweepPrepared } from './prepared-folders.ts';

function world() {
  const dataFolder = mkdtempSync(join(tmpdir(), 'workledger-prepared-'));
  onTestFinished(() => rmSync(dataFolder, { recursive: true }));
  const path = join(dataFolder, 'checkout');
  mkdirSync(join(path, 'made', 'deep'), { recursive: true });
  writeFileSync(join(path, 'made', 'deep', 'file'), 'x'.repeat(1_000));
  const asked = { path, base: 'a'.repeat(40), made: ['made'], problem: null };
  const prepared = join(dataFolder, 'prepared');
  return {
    ...{ dataFolder, path, prepared },
    keep: (key: string, bounds?: PreparedBounds) => keepPrepared(dataFolder, key, asked, bounds),
    names: () => readdirSync(prepared).sort(),
    usedAt: (key: string, seconds: number) => utimesSync(join(prepared, key, 'entry.json'), seconds, seconds),
  };
}

test('of many the longest unused go, so that no more are kept than there may be; using one counts', async () => {
  const { dataFolder, keep, names, usedAt } = world();
  const bounds = { bytes: 1e9, entries: 3 };
  for (const [index, key] of ['a', 'b', 'c'].entries()) {
    await keep(key, bounds);
    usedAt(key, 1_000 + index);
  }
  expect(await findPrepared(dataFolder, 'a')).not.toBeNull();
  await keep('d', bounds);
  expect(names()).toEqual(['a', 'c', 'd']);
});

test('nor more bytes; one that takes half of them alone is not kept, and said so', async () => {
  const { keep, names, usedAt, prepared } = world();
  for (const [index, key] of ['a', 'b', 'c'].entries()) {
    await keep(key, { bytes: 2_500, entries: 50 });
    usedAt(key, 1_000 + index);
  }
  expect(names()).toEqual(['b', 'c']);
  expect(await keep('d', { bytes: 1_500, entries: 50 })).toMatchObject({ problem: '1000 bytes are too many' });
  expect(existsSync(join(prepared, 'd', 'files', 'made'))).toBe(false);
});

test('what a killed process left half made is not there, and goes when it is old', async () => {
  const { dataFolder, prepared, names } = world();
  for (const name of ['.key.old', '.key.new', 'damaged']) mkdirSync(join(prepared, name, 'files'), { recursive: true });
  utimesSync(join(prepared, '.key.old'), 1_000, 1_000);
  writeFileSync(join(prepared, 'damaged', 'entry.json'), '{"problem":');
  expect(await findPrepared(dataFolder, 'key')).toBeNull();
  expect(await findPrepared(dataFolder, 'damaged')).toBeNull();
  await sweepPrepared(dataFolder, { bytes: 1e9, entries: 50 });
  expect(names()).toEqual(['.key.new', 'damaged']);
});

test('hard links among what was made, or out of it, are none in the copy', async () => {
  const { dataFolder, path, keep } = world();
  writeFileSync(join(dataFolder, 'store'), 'shared');
  linkSync(join(dataFolder, 'store'), join(path, 'made', 'linked'));
  const entry = await keep('key');
  const to = join(dataFolder, 'other');
  mkdirSync(to);
  await copyPrepared(dataFolder, 'key', entry, to);
  const inodes = [
    join(dataFolder, 'store'),
    join(dataFolder, 'prepared', 'key', 'files', 'made', 'linked'),
    join(to, 'made', 'linked'),
  ];
  expect(new Set(inodes.map((file) => statSync(file).ino)).size).toBe(3);
});

test.each([
  ['', 'it installs the repository itself as a copy'],
  ['"editable": true', null],
])(
  'a package installed from the folder is the repository itself, unless it is only named there: {%s}',
  async (mode, problem) => {
    const { path, keep } = world();
    writeFileSync(join(path, 'made', 'direct_url.json'), `{"url": "file://${path}", "dir_info": {${mode}}}`);
    expect(await keep('key')).toMatchObject({ problem });
  },
);

test('a copy is refused where something is in the way', async () => {
  const { dataFolder, keep } = world();
  const entry = await keep('key');
  const to = join(dataFolder, 'other');
  mkdirSync(to);
  writeFileSync(join(to, 'made'), 'a file');
  await expect(copyPrepared(dataFolder, 'key', entry, to)).rejects.toThrow('cannot copy');
});
