import { z } from 'zod';
import { inRun } from '../run-component.ts';
import { plain } from './body.ts';
import { findOrMake } from '@workledger/shared/outbound/find-or-make.ts';
import { githubComponent, type GithubRepository } from './repository.ts';

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

export async function writeComment(
  repository: GithubRepository,
  { number, about, text, taskId }: Written,
): Promise<Result> {
  const mark = `<!-- workledger:comment task=${taskId} about=${about} -->`;
  const body = `${mark}\n${text.toWellFormed().replaceAll('\0', '')}`;
  const login = await repository.github.login(repository.signal);
  const isOurs = (one: Comment): boolean =>
    one.user?.login.toLowerCase() === login.toLowerCase() && (one.body ?? '').startsWith(mark);
  const write = async (): Promise<Comment> =>
    repository.read(await repository.change('POST', `/issues/${number}/comments`, { body }), comment);
  const find = async (): Promise<Comment | null> => {
    const path = `/issues/${number}/comments?per_page=100`;
    const all = await repository.list(path, z.array(comment), (page) => page);
    return all.find(isOurs) ?? null;
  };
  const { found, isNew } = await findOrMake(find, write);
  const told = (outcome: Result['outcome'], { id, html_url: url }: Comment) => ({ outcome, id, url });
  if (isNew) return told('written', found);
  if (plain(found.body ?? '') === plain(body)) return told('unchanged', found);
  const answer = await repository.change('PATCH', `/issues/comments/${found.id}`, { body });
  // Somebody deleted it meanwhile.
  if (answer.status === 404) return told('written', await write());
  return told('updated', repository.read(answer, comment));
}
