import { environmentOf } from './credentials.ts';
import { git, GitFailure, type GitOptions, type GitResult } from './git.ts';

/**
 * A token that git is let in by at an origin, asked for when it is about to call there: work lasts longer than a token. Null: git is
 * let in by what the machine has. @param refused the one that no longer does; null: none was tried
 */
export type OriginLogin = (refused: string | null, signal: AbortSignal | undefined) => Promise<string | null>;

export type Origin = {
  /** Its address, which names folders and stands in files: without this login. */
  readonly url: string;
  /** Null: git is let in by what the machine has. */
  readonly login: OriginLogin | null;
};

const REFUSED = /Authentication failed|could not read (?:Username|Password)|returned error: 40[13]/;

/**
 * Runs git where it calls the origin, whose address is among the arguments: with its login, that git alone is told, and with another
 * one, once, where that was withdrawn. @throws GitFailure @throws what the login does
 */
export async function gitAtOrigin(
  { url, login }: Origin,
  args: readonly string[],
  options: GitOptions,
): Promise<GitResult> {
  const token = (await login?.(null, options.signal)) ?? null;
  if (login === null || token === null) return git(args, options);
  const run = (by: string): Promise<GitResult> =>
    git(args, { ...options, environment: { ...options.environment, ...environmentOf(url, by) } });
  try {
    return await run(token);
  } catch (error) {
    if (!(error instanceof GitFailure) || !REFUSED.test(error.stderr)) throw error;
    const another = await login(token, options.signal);
    if (another === null) throw error;
    return run(another);
  }
}
