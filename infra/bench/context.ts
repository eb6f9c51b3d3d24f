import { performance } from 'node:perf_hooks';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ask } from '@workledger/sagas/components/context/ask.ts';
import { questionOf } from '@workledger/sagas/components/context/by-words.ts';
import { openLibrary, type Library } from '@workledger/sagas/components/context/library.ts';
import { rank } from '@workledger/sagas/components/context/rank.ts';
import { removeFolder, temporaryFolder } from '../testing/processes/folder.ts';
import { git } from '../testing/repository/git.ts';
import { makeUp, someCommit } from './context/made-up.ts';
import { draw, grepByWords, inOrder, publicRepositories, type Drawn, type Subject } from './context/questions.ts';

// What an agent is told of the code, against what really was touched; how fast a repository is read, and how fast a question is answered.
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    questions: { type: 'string', default: '20' },
    files: { type: 'string', default: '20000' },
    repository: { type: 'string', multiple: true, default: [] },
    here: { type: 'string', default: '.' },
  },
});
const TOP = 10;
const goals = { ratio: 1.5, filesPerSecond: 800, milliseconds: 200 };
const folder = await temporaryFolder('bench-context');

const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / Math.max(1, all.length);
const quantile = (all: readonly number[], share: number): number =>
  all.toSorted((one, other) => one - other)[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0;
const gitFolderOf = (path: string): string => (existsSync(join(path, '.git')) ? join(path, '.git') : path);

function subjects(): Subject[] {
  const own = [values.here, ...values.repository].map((path) => ({
    name: path === values.here ? 'this repository' : path,
    folder: resolve(path),
    head: git(resolve(path), 'rev-parse', 'HEAD'),
  }));
  if (values.repository.length > 0) return own;
  try {
    return [...own, ...publicRepositories(folder)];
  } catch (error) {
    console.log(`no others: ${String(error).split('\n')[0]}; name some by --repository`);
    return own;
  }
}

type Result = { readonly ours: number; readonly greps: number };

const shareOf = ({ touched }: Drawn, top: readonly string[]): number =>
  touched.filter((path) => top.includes(path)).length / touched.length;

/** @returns how often better than grep, over all questions */
async function quality(): Promise<number> {
  const rows: Record<string, object> = {};
  const all: Result[] = [];
  for (const { name, folder: path, head } of subjects()) {
    const library = await openLibrary(gitFolderOf(path), join(folder, `${Object.keys(rows).length}.jsonl`));
    const results: { ours: number; greps: number; files: number }[] = [];
    for (const drawn of inOrder(draw(path, head, Number(values.questions), Number(values.seed)), path, head)) {
      const { index, history } = await library.at(drawn.parent);
      const top = rank(questionOf(drawn.subject), index, history, { most: TOP });
      const ours = shareOf(
        drawn,
        top.map(({ place }) => index.files[place]?.path ?? ''),
      );
      const greps = shareOf(drawn, grepByWords(path, drawn.parent, drawn.subject).slice(0, TOP));
      results.push({ ours, greps, files: index.files.length });
    }
    rows[name] = row(results);
    all.push(...results);
  }
  rows['all'] = row(all);
  console.log(`share of the touched files in the top ${TOP}; seed ${values.seed}; goal: ${goals.ratio} × grep`);
  console.table(rows);
  return meanOf(all, 'ours') / meanOf(all, 'greps');
}

const meanOf = (results: readonly Result[], of: keyof Result): number => mean(results.map((one) => one[of]));

function row(results: readonly { ours: number; greps: number; files?: number }[]): object {
  const [ours, greps] = [meanOf(results, 'ours'), meanOf(results, 'greps')];
  const files = results.flatMap((one) => one.files ?? []);
  return {
    questions: results.length,
    ...(files.length > 0 && { 'files, mean': Math.round(mean(files)) }),
    ...{ ours: ours.toFixed(3), grep: greps.toFixed(3), ratio: (ours / greps).toFixed(2) },
  };
}

async function reading(library: Library, name: string, commit: string, bytes: number, files: number): Promise<object> {
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  await library.at(commit);
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = bytes / 2_500 / seconds;
  return {
    [name]: {
      ...{ files, parsed: library.parsed(), seconds: seconds.toFixed(2), 'CPU s': ((user + system) / 1e6).toFixed(2) },
      'files of 2.5 kB a second': Math.round(perSecond),
      'of the goal': (perSecond / goals.filesPerSecond).toFixed(2),
    },
  };
}

async function speed(): Promise<void> {
  const here = resolve(values.here);
  const head = git(here, 'rev-parse', 'HEAD');
  const own = await openLibrary(gitFolderOf(here), join(folder, 'here.jsonl'));
  const sizes = git(here, 'ls-tree', '-r', '--long', head)
    .split('\n')
    .map((line) => Number(line.split(/\s+/)[3]));
  // What is larger is not read.
  const read = sizes.filter((size) => size <= 262_144);
  const rows = await reading(
    own,
    'this repository',
    head,
    read.reduce((sum, size) => sum + size, 0),
    sizes.length,
  );

  const path = join(folder, 'made-up.git');
  const made = makeUp(here, path, Number(values.files));
  const library = await openLibrary(path, join(folder, 'made-up.jsonl'));
  Object.assign(rows, await reading(library, 'made up', made.commit, made.bytes, Number(values.files)));
  const before = library.parsed();
  const next = someCommit(path, made.commit);
  const begun = performance.now();
  await library.at(next);
  const after = performance.now() - begun;
  console.log('reading a repository for the first time, with git, symbols and links');
  console.table(rows);
  console.log(`after a commit that changes 3 files: ${library.parsed() - before} parsed, ${after.toFixed(0)} ms`);
  const restarted = performance.now();
  await (await openLibrary(path, join(folder, 'made-up.jsonl'))).at(next);
  console.log(`after a new start: ${(performance.now() - restarted).toFixed(0)} ms`);

  const times: number[] = [];
  for (let at = 0; at < 40; at++) {
    const asked = performance.now();
    const description = `It should ${made.word()} ${made.word()} where ${made.word()} of ${made.word()} is.\n`.repeat(
      6,
    );
    const wanted = {
      title: `${made.word()} ${made.word()} for ${made.word()}`,
      description,
      commit: next,
      tokens: 4_000,
    };
    await ask(library, wanted, { gitFolder: path });
    if (at > 1) times.push(performance.now() - asked);
  }
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  console.log(
    `a question among ${values.files} files: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms; goal: ${goals.milliseconds} ms, ${(p50 / goals.milliseconds).toFixed(2)} of it`,
  );
}

try {
  const ratio = await quality();
  await speed();
  // Times are of this machine: they are printed, and it is for whoever reads them to judge.
  if (!(ratio >= goals.ratio)) {
    console.error(`missed: ${ratio.toFixed(2)} × grep, the goal is ${goals.ratio} ×`);
    process.exitCode = 1;
  }
} finally {
  await removeFolder(folder);
}
process.exit();
