import { z } from 'zod';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { inRun } from '../run-component.ts';
import { plain } from './body.ts';
import { githubComponent, type GithubRepository } from './repository.ts';
import { refused } from './answers.ts';
import { refusalOf } from './classify.ts';

const comment = z.object({
  id: z.int(),
  html_url: z.string(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
});
type Comment = z.infer<typeof comment>;

const request = inRun.extend({
  /** Of the issue or pull request. */
  number: z.int().positive(),
  /** Names what the comment is for: one comment a name, its text told anew in its place. */
  about: z.string().regex(/^[\w.:/-]{1,200}$/),
  text: z.string().min(1).max(60_000),
});

const result = z.object({ outcome: z.enum(['written', 'updated', 'unchanged']), id: z.int(), url: z.string() });

/** One comment for each thing that is told, found again by a mark that nobody sees, where the login itself wrote it. */
export const commentOn = githubComponent({
  request,
  result,
  act: (asked, repository) => writeComment(repository, asked),
});

type Result = z.infer<typeof result>;
type Written = Pick<z.infer<typeof request>, 'number' | 'about' | 'text' | 'taskId'>;

export async function writeComment(repository: GithubRepository, written: Written): Promise<Result> {
  const { number } = written;
  const { mark, body } = bodyOf(written);
  const isOurs = await ownOf(repository);
  const write = async (): Promise<Comment> =>
    repository.read(await repository.change('POST', `/issues/${number}/comments`, { body }), comment);
  const find = async (): Promise<Comment | null> => {
    const path = `/issues/${number}/comments?per_page=100`;
    const all = await repository.list(path, z.array(comment), (page) => page);
    return all.find((one) => isOurs(one) && (one.body ?? '').startsWith(mark)) ?? null;
  };
  const { found, isNew } = await findOrMake(find, write);
  if (isNew) return told('written', found);
  // Somebody may have deleted it meanwhile.
  return (await change(repository, found, body)) ?? told('written', await write());
}

/** Tells a comment anew that was written before. Null: somebody removed it, and it stays so. */
export async function rewriteComment(
  repository: GithubRepository,
  id: string,
  written: Written,
): Promise<Result | null> {
  const found = await repository.find(`/issues/comments/${encodeURIComponent(id)}`, comment);
  if (found === null) return null;
  // It was written by another login than is configured now.
  if (!(await ownOf(repository))(found)) return writeComment(repository, written);
  return change(repository, found, bodyOf(written).body);
}

const told = (outcome: Result['outcome'], { id, html_url: url }: Comment): Result => ({ outcome, id, url });

function bodyOf({ about, text, taskId }: Written): { readonly mark: string; readonly body: string } {
  const mark = `<!-- workledger:comment task=${taskId} about=${about} -->`;
  return { mark, body: `${mark}\n${text.toWellFormed().replaceAll('\0', '')}` };
}

async function ownOf({ github, signal }: GithubRepository): Promise<(one: Comment) => boolean> {
  const login = await github.login(signal);
  return ({ user }) => user?.login.toLowerCase() === login.toLowerCase();
}

/** Null: it is not there any more. */
async function change(repository: GithubRepository, found: Comment, body: string): Promise<Result | null> {
  if (plain(found.body ?? '') === plain(body)) return told('unchanged', found);
  const answer = await repository.change('PATCH', `/issues/comments/${found.id}`, { body });
  return answer.status === 404 ? null : told('updated', repository.read(answer, comment));
}

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
