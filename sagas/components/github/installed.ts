import { z } from 'zod';
import type { Answer } from '@workledger/shared/outbound/exchange.ts';
import { nextPage, readAnswer } from './answers.ts';

/** Of each list, at 100 a page; whoever has more of them knows what is where. */
const MOST_PAGES = 50;

const installations = z.array(z.looseObject({ id: z.int(), suspended_at: z.string().nullish() }));
const repositories = z.object({
  repositories: z.array(z.looseObject({ full_name: z.string(), archived: z.boolean().optional() })),
});

/** Asks as the app itself (null), or as one of its installations. */
type AskAs = (installation: number | null, path: string) => Promise<Answer>;

/** Names (`owner/name`) of the repositories that an app may work in, wherever it is installed; without those that take no changes any more. */
export async function listInstalled(askAs: AskAs): Promise<readonly string[]> {
  const where = await allPages(
    '/app/installations?per_page=100',
    (path) => askAs(null, path),
    (answer) => readAnswer('github', answer, installations, 'GitHub'),
  );
  const names: string[] = [];
  for (const { id } of where.filter(({ suspended_at }) => (suspended_at ?? null) === null)) {
    const found = await allPages(
      '/installation/repositories?per_page=100',
      (path) => askAs(id, path),
      (answer) => readAnswer('github', answer, repositories, 'GitHub').repositories,
    );
    names.push(...found.filter(({ archived }) => archived !== true).map(({ full_name }) => full_name));
  }
  return names;
}

async function allPages<Item>(
  first: string,
  ask: (path: string) => Promise<Answer>,
  read: (answer: Answer) => readonly Item[],
): Promise<Item[]> {
  const all: Item[] = [];
  let next: string | undefined = first;
  for (let page = 0; next !== undefined && page < MOST_PAGES; page++) {
    const answer: Answer = await ask(next);
    all.push(...read(answer));
    next = nextPage(answer);
  }
  return all;
}
