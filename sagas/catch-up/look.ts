import type { z } from 'zod';
import { readAnswer } from '../components/github/answers.ts';
import type { Github } from '../components/github/github.ts';
import { nextPage } from '../components/github/answers.ts';
import type { Answer } from '@workledger/shared/outbound/exchange.ts';

/** What one look may use, and has used. */
export type Look = {
  readonly github: Github;
  readonly signal: AbortSignal;
  readonly now: number;
  /** Pages of a list. */
  readonly pages: number;
  readonly quotaShare: number;
  readonly redeliveries: number;
};

/** What one look did, in numbers that anybody may read. */
export type Seen = {
  readonly found: number;
  readonly redelivered: number;
  readonly givenUp: number;
  /** It ended before its time: to leave the quota to others (the next one goes on), or at its most pages (what is older is not found). */
  readonly cut: 'quota' | 'pages' | null;
};

/** A delivery as GitHub would have sent it. */
export type Found = { readonly event: string; readonly deliveryId: string; readonly body: object };

export const NOTHING: Seen = { found: 0, redelivered: 0, givenUp: 0, cut: null };

/** A delivery of its own may be under way: what is younger is left to the next look. */
export const YOUNG_MILLISECONDS = 60_000;

export const isShort = ({ github, quotaShare }: Look): boolean => (github.quotaLeft() ?? 1) < quotaShare;

/**
 * The items of a list, page after page, until one says that it is enough.
 * @returns why it ended before that; null: it did not
 */
export async function readPages<Schema extends z.ZodType<readonly unknown[]>>(
  look: Look,
  path: string,
  schema: Schema,
  ask: (path: string) => Promise<Answer>,
  /** Whether more is wanted. */
  take: (page: z.infer<Schema>) => boolean,
): Promise<Seen['cut']> {
  let next: string | undefined = path;
  for (let page = 0; next !== undefined; page++) {
    if (isShort(look)) return 'quota';
    if (page >= look.pages) return 'pages';
    const answer: Answer = await ask(next);
    if (!take(readAnswer('catch-up', answer, schema, 'GitHub'))) return null;
    next = nextPage(answer);
  }
  return null;
}
