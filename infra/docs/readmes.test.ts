import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' });
const pages = tracked.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));

/** Rooms at the root, and what else has a name there. */
const ROOMS = /^(shared|command-service|projections|sagas|query-service|infra)\//;
const ENDINGS = /\.(ts|mjs|md|json|yml|patch|program)$|\/$/;
/** Names with a part to fill in, patterns, and what is not there before it is made. */
const OPEN = /[<>*…{}$ ]|^\.workledger|node_modules|:\/\//;
/** Files that users or running servers write, and examples of names. */
const THEIRS = new Set([
  'workledger.json',
  'compose.override.yml',
  'x.test.ts',
  'x.int.test.ts',
  'cluster/',
  'data/',
  'ports.json',
]);

/** What a page names: in backticks, or by a link of its own. */
function namesIn(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  const quoted = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name!).filter((name) => ENDINGS.test(name));
  const linked = [...prose.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, name]) => name!);
  return [...quoted, ...linked].filter((name) => !OPEN.test(name) && !name.startsWith('/') && !THEIRS.has(name));
}

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => existsSync(join(root, file)));

/** Beside the page, or at the root; a name without a folder may be that of any file or folder. */
function isThere(page: string, name: string): boolean {
  if (existsSync(join(root, dirname(page), name)) || existsSync(join(root, name))) return true;
  const end = `/${name.replace(/\/$/, '')}/`;
  return !ROOMS.test(name) && files.some((file) => `/${file}/`.includes(end));
}

test.each(pages)('%s names only what is there', (page) => {
  const names = [...new Set(namesIn(readFileSync(join(root, page), 'utf8')))];
  expect(names.filter((name) => !isThere(page, name))).toEqual([]);
});
