import { createHash } from 'node:crypto';
import { z } from 'zod';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import type { GithubRepository } from './repository.ts';
import { asPlace, linesShown, oursAt } from './reviewed.ts';

/** Something that is said of a line, once. */
export type Complaint = {
  readonly key: string;
  readonly path: string | null;
  readonly line: number | null;
  readonly words: string;
};
type Asked = {
  readonly taskId: string;
  readonly number: number;
  readonly commit: string;
  readonly complaints: readonly Complaint[];
};
type Reviewed = { readonly review: 'made' | 'unchanged' | 'none'; readonly comments: number };

/** More of them nobody reads. */
const MOST_COMMENTS = 30;
const MOST_TOLD = 100;
const MARK = /^<!-- workledger:finding ([0-9a-f]{24}) -->/;

/**
 * One review with comments on the lines that the pull request changes; the rest is in its words. What was said before, on whatever commit
 * and whether or not somebody resolved it, is not said again.
 */
export async function review(
  repository: GithubRepository,
  { taskId, number, commit, complaints }: Asked,
): Promise<Reviewed> {
  if (complaints.length === 0) return { review: 'none', comments: 0 };
  const said = await oursAt(repository, number, 'comments');
  const known = new Set(said.map(({ body }) => MARK.exec(body ?? '')?.[1]));
  const isInDiff = await linesShown(repository, number);
  const inLines = complaints.filter(isInDiff);
  const fresh = inLines.filter(({ key }) => !known.has(key));
  const shown = fresh.slice(0, MOST_COMMENTS);
  const rest = [...fresh.slice(MOST_COMMENTS), ...complaints.filter((one) => !isInDiff(one))];
  const of = (commit: string): string => `<!-- workledger:review task=${taskId} commit=${commit} `;
  const restMark = `rest=${digestOf(rest)} -->`;
  const written = await oursAt(repository, number, 'reviews');
  // One that was made on this commit spoke of all this: what it put in lines, and what not.
  if (written.some(({ body }) => body?.startsWith(of(commit)) === true)) return { review: 'unchanged', comments: 0 };
  const isToldBefore = written.some(({ body }) => body?.split('\n')[0]?.endsWith(restMark) === true);
  if (shown.length === 0 && (rest.length === 0 || isToldBefore)) return { review: 'none', comments: 0 };
  const mark = `${of(commit)}${restMark}`;
  const find = async () =>
    (await oursAt(repository, number, 'reviews')).find(({ body }) => body?.startsWith(of(commit)) === true) ?? null;
  let inPlace = shown.length;
  const make = async () => {
    const post = (placed: readonly Complaint[], told: readonly Complaint[]) =>
      repository.change('POST', `/pulls/${number}/reviews`, {
        ...{ commit_id: commit, event: 'COMMENT', body: `${mark}\n${wordsOf(placed.length, told)}` },
        comments: placed.map(({ key, path, line, words }) => ({
          ...{ path, line, side: 'RIGHT', body: `<!-- workledger:finding ${key} -->\n${words}` },
        })),
      });
    const answer = await post(shown, rest);
    if (answer.status !== 422 || shown.length === 0) return repository.read(answer, z.object({ id: z.int() }));
    // The diff is another one by now: what cannot be said in its lines is said beside them.
    inPlace = 0;
    return repository.read(await post([], [...shown, ...rest]), z.object({ id: z.int() }));
  };
  await findOrMake<{ readonly id: number }>(find, make);
  return { review: 'made', comments: inPlace };
}

const digestOf = (rest: readonly Complaint[]): string =>
  createHash('sha256')
    .update(
      rest
        .map(({ key }) => key)
        .sort()
        .join('\n'),
    )
    .digest('hex')
    .slice(0, 24);

function wordsOf(placed: number, rest: readonly Complaint[]): string {
  const head =
    placed === 0
      ? 'The checks complain:'
      : `The checks complain about ${placed} of the changed lines${rest.length === 0 ? '.' : ', and beside them:'}`;
  const told = rest.slice(0, MOST_TOLD).map((one) => `- ${asPlace(one)}${one.words}`);
  const more = rest.length > MOST_TOLD ? [`- … and ${rest.length - MOST_TOLD} more`] : [];
  return [head, '', ...told, ...more].join('\n').slice(0, 60_000).toWellFormed().trim();
}
