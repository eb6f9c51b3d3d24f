import type { Repository } from '@workledger/shared/config/schema.ts';
import type { Authentication } from './authentication.ts';
import { asGithubFailure } from './classify.ts';

/** A repository as far as git reaches it. */
export type GitOrigin = Pick<Repository, 'url' | 'github' | 'protectCi'>;

/** By what git is let in at a repository's address; null: by what the machine has. @param refused what no longer does */
export type GitToken = (origin: GitOrigin, refused: string | null, signal: AbortSignal) => Promise<string | null>;

const ADDRESS = /^(https?:\/\/)([A-Za-z0-9.:[\]-]+)(\/[^?#@\\\s]*)$/i;

/**
 * Whether an address is that of the registered repository on this GitHub. One that names a user of its own, another host or another
 * path gets no login of ours.
 * @param web where people use that GitHub
 */
export function isOnGithub(web: string, { url, github }: Pick<GitOrigin, 'url' | 'github'>): boolean {
  const [, scheme = '', host = '', path = ''] = ADDRESS.exec(url) ?? [];
  if (github === null || host === '' || !URL.canParse(scheme + host)) return false;
  const { origin, pathname } = new URL(web);
  const registered = `${pathname.replace(/\/$/, '')}/${github}`.toLowerCase();
  const named = path.toLowerCase().replace(/\/$/, '');
  return new URL(scheme + host).origin === origin && (named === registered || named === `${registered}.git`);
}

/** Of an app, tokens for git in one repository each; of a token of a person none: git has its own then. */
export const createGitToken =
  (web: string, { forGit }: Pick<Authentication, 'forGit'>): GitToken =>
  async (origin, refused, signal) => {
    if (forGit === null || origin.github === null || !isOnGithub(web, origin)) return null;
    const repository = origin.github.split('/').map(encodeURIComponent).join('/');
    try {
      return await forGit({ repository, workflows: !origin.protectCi, refused, signal });
    } catch (error) {
      throw asGithubFailure('github', error);
    }
  };
