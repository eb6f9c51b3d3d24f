import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** A commit of before as a question: its subject, what stood before it, and which of the files there it touched. */
export type Drawn = {
  readonly commit: string;
  readonly parent: string;
  readonly subject: string;
  readonly touched: readonly string[];
};

const gitIn = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', maxBuffer: 1e9 });

const MOST_TOUCHED = 10;
const FEWEST_WORDS = 3;
/** The first commits have no history to be asked. */
const FIRST = 20;

/** Draws commits that touch one to ten files that were there before, so that all of them could be named. @param seed any whole number */
export function draw(folder: string, head: string, count: number, seed: number): Drawn[] {
  const random = randomBy(seed);
  const log = gitIn(folder, 'log', '--no-merges', '--format=%H %P%x09%s', head).trim().split('\n');
  const left = log.slice(0, Math.max(0, log.length - FIRST));
  const drawn: Drawn[] = [];
  while (drawn.length < count && left.length > 0) {
    const [line = ''] = left.splice(Math.floor(random() * left.length), 1);
    const [ids = '', subject = ''] = line.split('\t');
    const [commit = '', parent] = ids.split(' ');
    if (parent === undefined || subject.split(/\s+/).length < FEWEST_WORDS) continue;
    const status = gitIn(folder, 'diff-tree', '-r', '--no-renames', '--name-status', '-z', parent, commit).split('\0');
    const touched: string[] = [];
    for (let at = 0; at + 1 < status.length; at += 2) if (status[at] !== 'A') touched.push(status[at + 1] ?? '');
    if (touched.length > 0 && touched.length <= MOST_TOUCHED) drawn.push({ commit, parent, subject, touched });
  }
  return drawn;
}

/** The oldest first: from one to the next least has changed. */
export function inOrder(drawn: readonly Drawn[], folder: string, head: string): Drawn[] {
  const places = new Map(
    gitIn(folder, 'rev-list', head)
      .split('\n')
      .map((commit, at) => [commit, at]),
  );
  return drawn.toSorted((one, other) => (places.get(other.commit) ?? 0) - (places.get(one.commit) ?? 0));
}

/** mulberry32 */
export function randomBy(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Histories of public repositories that a Go module carries for its tests, so that no host of git need be reached. */
const MODULE = 'github.com/go-git/go-git-fixtures/v4@v4.3.1';
const PACKS = [
  {
    name: 'github.com/spinnaker/spinnaker',
    pack: 'f2e0a8889a746f7600e07d2246a2e29a72f696be',
    head: '06ce06d0fc49646c4de733c45b7788aabad98a6f',
  },
  {
    name: 'github.com/src-d/go-git',
    pack: '3559b3b47e695b33b0913237a4df3357e739831c',
    head: 'e8788ad9165781196e917292d6055cba1d78664e',
  },
];

export type Subject = { readonly name: string; readonly folder: string; readonly head: string };

/** @param into a folder where they may be unpacked @throws when there is no Go, or its proxy does not answer */
export function publicRepositories(into: string): Subject[] {
  const told = execFileSync('go', ['mod', 'download', '-json', MODULE], { cwd: into, encoding: 'utf8' });
  const { Dir: module } = JSON.parse(told) as { Dir: string };
  return PACKS.map(({ name, pack, head }) => {
    const folder = join(into, `${pack}.git`);
    execFileSync('git', ['init', '--quiet', '--bare', folder]);
    const packs = join(folder, 'objects', 'pack');
    mkdirSync(packs, { recursive: true });
    for (const end of ['pack', 'idx']) {
      copyFileSync(join(module, 'data', `pack-${pack}.${end}`), join(packs, `pack-${pack}.${end}`));
      chmodSync(join(packs, `pack-${pack}.${end}`), 0o600);
    }
    return { name, folder, head };
  });
}

/** What a person does who has nothing but grep: files by how often the words of the question stand in them. */
export function grepByWords(folder: string, commit: string, subject: string): string[] {
  const words = [...new Set(subject.toLowerCase().match(/[a-z][a-z\d]{2,}/g) ?? [])];
  const counts = new Map<string, number>();
  if (words.length === 0) return [];
  let said = '';
  try {
    const patterns = words.flatMap((word) => ['-e', word]);
    said = gitIn(folder, 'grep', '-I', '-i', '-F', '-o', '-z', '--null', ...patterns, commit);
  } catch {
    // It found nothing.
  }
  for (const line of said.split('\n')) {
    const path = line.slice(commit.length + 1, line.indexOf('\0'));
    if (line.includes('\0')) counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  return [...counts].sort((one, other) => other[1] - one[1]).map(([path]) => path);
}
