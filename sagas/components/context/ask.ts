import type { Embeddings } from '@workledger/shared/embeddings/port.ts';
import { byMeaning } from './by-meaning.ts';
import { questionOf } from './by-words.ts';
import type { Indexed, Library } from './library.ts';
import { pack, type Packed } from './pack.ts';
import { rank } from './rank.ts';
import { readBlobs, type Objects } from './repository.ts';
import { loadTokenizer } from './tokens.ts';

/** Files whose content is looked at; of the others at most what they define and their path is told. */
const MOST_READ = 24;

export type Wanted = {
  readonly title: string;
  readonly description: string;
  readonly commit: string;
  /** The most that may come out. */
  readonly tokens: number;
};

/** Computes what texts mean, and is told where that cannot be had: the other ways of looking will do. */
export type Meaning = { readonly embeddings: Embeddings; readonly onFailed: (error: unknown) => void };

/** What of the code matters for these words. */
export async function ask(
  library: Library,
  wanted: Wanted,
  objects: Objects,
  meaning: Meaning | null = null,
): Promise<Packed> {
  const { title, description, commit, tokens } = wanted;
  const { index, history } = await library.at(commit, objects.signal);
  const question = questionOf(title, description);
  const found = rank(question, index, history);
  const asked = { question: `${title}\n${description}`, files: index.files };
  const ranked =
    meaning === null
      ? found
      : await byMeaning(found, asked, meaning.embeddings, objects.signal).catch((error: unknown) => {
          objects.signal?.throwIfAborted();
          meaning.onFailed(error);
          return found;
        });
  const contents = await contentsOf(
    ranked.slice(0, MOST_READ).map(({ place }) => place),
    index,
    objects,
  );
  return pack(question, index, ranked, { tokens, contents, count: await loadTokenizer() });
}

async function contentsOf(
  places: readonly number[],
  { files }: Indexed['index'],
  objects: Objects,
): Promise<Map<number, string>> {
  const read = places.flatMap((place) => (files[place]?.facts == null ? [] : [{ place, blob: files[place].blob }]));
  const blobs = await readBlobs([...new Set(read.map(({ blob }) => blob))], objects);
  return new Map(
    read.flatMap(({ place, blob }) => {
      const content = blobs.get(blob);
      return content === undefined || content.includes(0) ? [] : [[place, content.toString('utf8')] as const];
    }),
  );
}
