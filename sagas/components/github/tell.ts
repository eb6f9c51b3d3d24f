import { howToAnswer, replyComponent, type Message } from '../replies/reply.ts';
import { asGithubFailure } from './classify.ts';
import { writeComment } from './comments.ts';
import { openRepository } from './repository.ts';
import { quoted } from './body.ts';

const ISSUE = /#([1-9]\d{0,9})$/;

/** One comment for each thing that is told, on the issue that the task came from. */
export const tell = replyComponent({
  of: ({ environment }, { place }) => (environment.github ? Number(ISSUE.exec(place)?.[1]) || null : null),
  tell: async (number, request, message, call) => {
    const { taskId, about, to } = request;
    const text = `${to === null ? '' : `@${to} `}${bodyOf(message, request.onPullRequest !== true)}`;
    const { outcome, id } = await writeComment(openRepository(call, request), { taskId, number, about, text });
    return { outcome: outcome === 'written' ? outcome : 'updated', id: String(id), state: null };
  },
  asFailure: asGithubFailure,
});

function bodyOf(message: Message, sendsBack: boolean): string {
  const { text, asked, link, isOpen, choices } = message;
  return [
    text,
    ...(asked === null ? [] : [quoted(asked).replaceAll(/^/gm, '> ')]),
    ...(isOpen ? [howToAnswer({ ...message, choices: choices.map(quoted) }, '@workledger', sendsBack)] : []),
    ...(link === null ? [] : [`[The task](${link})`]),
  ].join('\n\n');
}
