import { z } from 'zod';
import { inRun } from '../run-component.ts';
import { refused } from './answers.ts';
import { refusalOf } from './classify.ts';
import { githubComponent, type GithubRepository } from './repository.ts';

const label = z.object({ name: z.string() });
const names = z.array(z.string().min(1).max(50)).max(20);

/** Adds labels to an issue or pull request and takes others away; only what differs is asked for. */
export const labels = githubComponent({
  request: inRun.extend({ number: z.int().positive(), add: names, remove: names }),
  result: z.object({ added: z.array(z.string()), removed: z.array(z.string()) }),
  act: (asked, repository) => changeLabels(repository, asked),
});

type Change = { readonly number: number; readonly add: readonly string[]; readonly remove: readonly string[] };

export async function changeLabels(
  repository: GithubRepository,
  { number, add, remove }: Change,
): Promise<{ added: string[]; removed: string[] }> {
  const path = `/issues/${number}/labels`;
  const there = await repository.list(`${path}?per_page=100`, z.array(label), (page) => page);
  // GitHub takes `Bug` and `bug` for one.
  const has = (name: string): boolean => there.some((one) => one.name.toLowerCase() === name.toLowerCase());
  const added = add.filter((name) => !has(name));
  const removed = remove.filter(has);
  if (added.length > 0) repository.read(await repository.change('POST', path, { labels: added }), z.array(label));
  for (const name of removed) {
    const answer = await repository.change('DELETE', `${path}/${encodeURIComponent(name)}`);
    const isGone = answer.status === 404 && /label does not exist/i.test(refusalOf(answer).words);
    if (answer.status >= 300 && !isGone) refused(repository.step, answer, repository.name);
  }
  return { added, removed };
}
