import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { encodeFacts } from './facts.ts';
import { createAnalyse, type Analyse } from './parse.ts';
import type { Answer, Source } from './parse-thread.ts';

/** Parses many files. */
export type Parsers = {
  /** Lines of `encodeFacts`, in any order. */
  parse(sources: readonly Source[]): Promise<readonly string[]>;
  stop(): Promise<void>;
};

let here: Analyse | null = null;

/** In this thread, one file a turn: for so few files that a thread would take longer to begin. */
export const parseHere: Parsers = {
  parse: async (sources) => {
    const analyse = (here ??= createAnalyse());
    const lines: string[] = [];
    for (const { blob, path, text } of sources) {
      lines.push(encodeFacts(blob, await analyse(path, text)));
      await nextTurn();
    }
    return lines;
  },
  stop: async () => undefined,
};

const MOST_THREADS = 4;
/** Characters of source that one thread gets at once. */
const SHARE = 250_000;

/** In threads of their own, which share what there is; whoever began them stops them. */
export function startParsers(threads: number = Math.min(MOST_THREADS, availableParallelism())): Parsers {
  const workers = Array.from({ length: threads }, startThread);
  return {
    parse: async (sources) => {
      const left = inPortions(sources, SHARE, ({ text }) => text.length);
      const lines: string[] = [];
      await Promise.all(
        workers.map(async (worker) => {
          for (let share = left.pop(); share !== undefined; share = left.pop())
            lines.push(...(await askThread(worker, share)));
        }),
      );
      return lines;
    },
    stop: async () => void (await Promise.all(workers.map((worker) => worker.terminate()))),
  };
}

const THREAD = new URL('./parse-thread.ts', import.meta.url);

/** Node reads TypeScript itself from 22.18 on; before, what runs the program is told to do it in the thread, too. */
function startThread(): Worker {
  const name = 'parse';
  if ('typescript' in process.features && Boolean(process.features.typescript)) return new Worker(THREAD, { name });
  const reader = join(dirname(createRequire(import.meta.url).resolve('tsx/package.json')), 'dist/esm/api/index.mjs');
  const asked = [pathToFileURL(reader), THREAD].map(({ href }) => JSON.stringify(href));
  const begin = `void import(${asked[0]}).then(({ register }) => register()).then(() => import(${asked[1]}));`;
  return new Worker(begin, { name, eval: true, execArgv: [] });
}

/** In their order, each portion as soon as it has passed this size. */
export function inPortions<Item>(items: readonly Item[], most: number, sizeOf: (item: Item) => number): Item[][] {
  const portions: Item[][] = [];
  let size = Infinity;
  for (const item of items) {
    if (size > most) {
      portions.push([]);
      size = 0;
    }
    portions.at(-1)?.push(item);
    size += sizeOf(item);
  }
  return portions;
}

const askThread = (worker: Worker, share: readonly Source[]): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const done = (): void => {
      worker.off('message', onAnswer);
      worker.off('error', onError);
      worker.off('exit', onExit);
    };
    const onAnswer = (answer: Answer): void => {
      done();
      if ('lines' in answer) resolve(answer.lines);
      else reject(new Error(`cannot parse: ${answer.problem}`));
    };
    const onError = (error: Error): void => {
      done();
      reject(error);
    };
    const onExit = (): void => onError(new Error('a thread that parses has ended'));
    worker.on('message', onAnswer);
    worker.on('error', onError);
    worker.on('exit', onExit);
    worker.postMessage(share);
  });
