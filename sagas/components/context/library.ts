import { LRUCache } from 'lru-cache';
import { createCodeIndex, type CodeIndex } from './code-index.ts';
import { createHistory, type History } from './history.ts';
import { treeOf } from '../git/trees.ts';
import { listFiles, readHistory, type Objects } from './repository.ts';
import { openStore, type Store } from './store.ts';

/** What is known of one commit of a repository. */
export type Indexed = {
  readonly index: CodeIndex;
  readonly history: History;
  /** Of its files: two commits with one tree have one index. */
  readonly tree: string;
};

/** What is known of one repository. */
export type Library = {
  at(commit: string, signal?: AbortSignal): Promise<Indexed>;
  /** Files that were parsed since it was opened. */
  parsed(): number;
};

const MOST_TREES = 3;
const MOST_HISTORIES = 6;

/** @param file where what was parsed is kept */
export async function openLibrary(gitFolder: string, file: string): Promise<Library> {
  const store = await openStore(file);
  const trees = new LRUCache<string, Promise<CodeIndex>>({ max: MOST_TREES });
  const histories = new LRUCache<string, Promise<History>>({ max: MOST_HISTORIES });
  return {
    parsed: store.parsed,
    at: async (commit, signal) => {
      const objects = { gitFolder, signal };
      const tree = await treeOf(objects, commit);
      const [index, history] = await Promise.all([
        once(trees, tree, () => indexed(store, commit, objects)),
        once(histories, commit, async () => createHistory(await readHistory(commit, objects))),
      ]);
      return { index, history, tree };
    },
  };
}

async function indexed(store: Store, commit: string, objects: Objects): Promise<CodeIndex> {
  const files = await listFiles(commit, objects);
  return createCodeIndex(files, await store.factsOf(files, objects), store.dictionary);
}

/** What fails is not kept. */
function once<Value>(cache: LRUCache<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> {
  const found = cache.get(key);
  if (found !== undefined) return found;
  const made = make();
  cache.set(key, made);
  made.catch(() => {
    if (cache.peek(key) === made) cache.delete(key);
  });
  return made;
}
