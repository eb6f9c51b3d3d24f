import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createDictionary, decodeFacts, type Dictionary, type FileFacts } from './facts.ts';
import { languages } from './languages.ts';
import { inPortions, parseHere, startParsers, type Parsers } from './parsers.ts';
import type { Source } from './parse-thread.ts';
import { readBlobs, type Objects, type TreeFile } from './repository.ts';

/** What is known of the files of one repository, each content parsed once. */
export type Store = {
  readonly dictionary: Dictionary;
  /** By blob id; files that are too large or no text are left out. */
  factsOf(files: readonly TreeFile[], objects: Objects): Promise<ReadonlyMap<string, FileFacts>>;
  /** Files that were parsed since it was opened. */
  parsed(): number;
};

/** Bytes; what is larger is data, or made by a program. */
const LARGEST = 262_144;
/** Bytes of files that are read and parsed at once. */
const PORTION = 4_194_304;
/** Files: for more it pays to begin threads. */
const FEW = 60;
const TURN = 500;
/** Contents that the file on the disk may hold, for each file of the commit. */
const MOST_KEPT = 3;
const FEWEST_KEPT = 2_000;

/** What facts are made of: when that changes, what is kept of before says nothing. */
const edition = createHash('sha256')
  .update(JSON.stringify(['1', languages]))
  .digest('hex')
  .slice(0, 12);

/** Opens what is kept on the disk, or begins anew. Two processes may do so at once: what one loses is only parsed again. */
export async function openStore(file: string): Promise<Store> {
  const dictionary = createDictionary();
  const facts = new Map<string, FileFacts>();
  let parsed = 0;
  const take = (line: string): void => {
    const read = decodeFacts(line, dictionary);
    if (read !== null) facts.set(read.blob, read.facts);
  };
  const [head, ...lines] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  let isKept = head === edition;
  if (isKept) await inTurns(lines.filter(Boolean), take);

  async function keep(made: readonly string[], files: readonly TreeFile[]): Promise<void> {
    const tooMany = facts.size > Math.max(FEWEST_KEPT, MOST_KEPT * files.length);
    if (isKept && !tooMany) return appendFile(file, `${made.join('\n')}\n`, { mode: 0o600 });
    const wanted = new Set(files.map(({ blob }) => blob));
    for (const blob of facts.keys()) if (!wanted.has(blob)) facts.delete(blob);
    const before = isKept ? (await readFile(file, 'utf8')).split('\n').slice(1) : [];
    const still = before.filter((line) => wanted.has(line.slice(2, line.indexOf('"', 2))));
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, [edition, ...still, ...made, ''].join('\n'), { mode: 0o600 });
    await rename(draft, file);
    isKept = true;
  }

  /** @param made what is done is put in here, also when it ends early */
  async function parseMissing(missing: readonly TreeFile[], objects: Objects, made: string[]): Promise<void> {
    const parsers: Parsers = missing.length > FEW ? startParsers() : parseHere;
    try {
      let reading: Promise<Source[]> | null = null;
      let taking = Promise.resolve();
      const portions = inPortions(missing, PORTION, ({ size }) => size);
      for (const [at, portion] of portions.entries()) {
        const sources = await (reading ?? readSources(portion, objects));
        const next = portions[at + 1];
        // Git reads the next ones while these are parsed.
        reading = next === undefined ? null : readSources(next, objects);
        reading?.catch(() => undefined);
        const lines = await parsers.parse(sources);
        made.push(...lines);
        await taking;
        // Threads parse the next ones meanwhile.
        taking = inTurns(lines, take);
        objects.signal?.throwIfAborted();
      }
      await taking;
    } finally {
      await parsers.stop();
    }
  }

  return {
    dictionary,
    parsed: () => parsed,
    factsOf: async (files, objects) => {
      const fit = files.filter(({ path, size }) => size <= LARGEST && isRead(path));
      const missing = new Map(fit.filter(({ blob }) => !facts.has(blob)).map((one) => [one.blob, one]));
      const made: string[] = [];
      try {
        if (missing.size > 0) await parseMissing([...missing.values()], objects, made);
      } finally {
        parsed += made.length;
        // A full disk is no reason to do without.
        if (made.length > 0) await keep(made, files).catch(() => undefined);
      }
      return facts;
    },
  };
}

async function inTurns(lines: readonly string[], take: (line: string) => void): Promise<void> {
  for (const [at, line] of lines.entries()) {
    take(line);
    if (at % TURN === TURN - 1) await nextTurn();
  }
}

const UNREAD =
  /(^|\/)(node_modules|vendor|third_party|dist|\.git)\/|\.min\.(js|css)$|(^|\/)[\w.-]*(lock|lock\.json|lock\.yaml|\.sum)$/i;
/** Whether its words tell of the code. */
const isRead = (path: string): boolean => !UNREAD.test(path);

async function readSources(files: readonly TreeFile[], objects: Objects): Promise<Source[]> {
  const contents = await readBlobs(
    files.map(({ blob }) => blob),
    objects,
  );
  return files.flatMap(({ blob, path }) => {
    const content = contents.get(blob);
    // What is no text has no words: an empty fact keeps it from being read again.
    return content === undefined ? [] : [{ blob, path, text: content.includes(0) ? '' : content.toString('utf8') }];
  });
}
