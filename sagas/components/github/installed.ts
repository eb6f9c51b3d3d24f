import { z } from 'zod';
import type { Answer } from '@workledger/shared/outbound/exchange.ts';
import { covers } from '@workledger/shared/config/installed.ts';
import type { Installed } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf } from '../failures.ts';
import { nextPage, readAnswer } from './answers.ts';

/** Of each list, at 100 a page. */
const MOST_PAGES = 50;

const installations = z.array(
  z.looseObject({
    id: z.int(),
    account: z.looseObject({ login: z.string() }).nullish(),
    suspended_at: z.string().nullish(),
  }),
);
const repositories = z.object({
  repositories: z.array(
    z.looseObject({
      full_name: z.string(),
      clone_url: z.string(),
      default_branch: z.string(),
      archived: z.boolean().optional(),
    }),
  ),
});

/** Asks as the app itself (null), or as one of its installations. */
type AskAs = (installation: number | null, path: string) => Promise<Answer>;

/**
 * The repositories that an app may work in, by `owner/name`, wherever it is installed; without those that take no changes any more.
 * @param of of whom alone, as `installed.of` has it; default: of all @throws ComponentFailure also where a list goes on and on: a part of it tells of none that is gone
 */
export async function listInstalled(askAs: AskAs, of: readonly string[] = []): Promise<Installed> {
  const isAsked = (name: string): boolean => of.length === 0 || covers(of, name);
  const owners = new Set(of.map(ownerOf));
  const where = await allPages(
    '/app/installations?per_page=100',
    (path) => askAs(null, path),
    (answer) => readAnswer('github', answer, installations, 'GitHub'),
  );
  const found: [string, Installed[string]][] = [];
  for (const { id, account, suspended_at } of where) {
    if ((suspended_at ?? null) !== null || (of.length > 0 && !owners.has(ownerOf(account?.login ?? '')))) continue;
    const all = await allPages(
      '/installation/repositories?per_page=100',
      (path) => askAs(id, path),
      (answer) => readAnswer('github', answer, repositories, 'GitHub').repositories,
    );
    for (const { full_name, clone_url, default_branch, archived } of all)
      if (archived !== true && isAsked(full_name))
        found.push([full_name, { url: clone_url, baseBranch: default_branch }]);
  }
  return Object.fromEntries(found);
}

const ownerOf = (name: string): string => (name.split('/')[0] ?? '').toLowerCase();

async function allPages<Item>(
  first: string,
  ask: (path: string) => Promise<Answer>,
  read: (answer: Answer) => readonly Item[],
): Promise<Item[]> {
  const all: Item[] = [];
  let next: string | undefined = first;
  for (let page = 0; next !== undefined; page++) {
    if (page === MOST_PAGES) {
      const reason = `GitHub lists more than ${all.length} under ${first}: what comes after is not seen, so nothing is taken of it`;
      throw new ComponentFailure(failureOf('github', reason), { retryable: false, fault: 'origin' });
    }
    const answer: Answer = await ask(next);
    all.push(...read(answer));
    next = nextPage(answer);
  }
  return all;
}
