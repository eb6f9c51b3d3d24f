import { z } from 'zod';
import { linesInPatch } from './patch-lines.ts';
import type { GithubRepository } from './repository.ts';

const written = z.array(
  z.object({
    id: z.int(),
    body: z.string().nullish(),
    state: z.string().nullish(),
    user: z.object({ login: z.string() }).nullish(),
  }),
);
const files = z.array(z.object({ filename: z.string(), patch: z.string().nullish() }));

/** What a review speaks of; null: of none. */
type Place = { readonly path: string | null; readonly line: number | null };

/** All that we wrote ourselves, of the reviews of a pull request or of their comments on lines. */
export async function oursAt(repository: GithubRepository, number: number, what: 'reviews' | 'comments') {
  const own = (await repository.github.login(repository.signal)).toLowerCase();
  const all = await repository.list(`/pulls/${number}/${what}?per_page=100`, written, (page) => page);
  return all.filter(({ user }) => user?.login.toLowerCase() === own);
}

/** Whether a line is one that the pull request shows: only on these GitHub takes comments. */
export async function linesShown(repository: GithubRepository, number: number): Promise<(place: Place) => boolean> {
  const changed = await repository.list(`/pulls/${number}/files?per_page=100`, files, (page) => page);
  const lines = new Map(changed.map(({ filename, patch }) => [filename, linesInPatch(patch ?? '')]));
  return ({ path, line }) => path !== null && line !== null && lines.get(path)?.has(line) === true;
}

/** As a line of a list begins that is about a place; empty: it is about none. */
export const asPlace = ({ path, line }: Place): string =>
  path === null ? '' : `\`${path.replaceAll('`', "'")}${line === null ? '' : `:${line}`}\`: `;
