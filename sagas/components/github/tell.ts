import { howToAnswer, replyComponent, type Message } from '../replies/reply.ts';
import type { Stage } from '../replies/refused.ts';
import { quoted } from './body.ts';
import { asGithubFailure } from './classify.ts';
import { changeLabels, rewriteComment, writeComment } from './issue.ts';
import { issueOf, openRepository } from './repository.ts';

const LABELS = {
  ...{ started: 'workledger:working', review: 'workledger:working' },
  ...{ done: 'workledger:done', failed: 'workledger:failed', cancelled: 'workledger:cancelled' },
} satisfies Record<Stage, string>;
const ALL_LABELS = [...new Set(Object.values(LABELS))];

/** One comment for each thing that is told, on the issue that the task came from or on its pull request; how far it is, by one label, too. */
export const tell = replyComponent({
  of: ({ environment }, { place, repository, onPullRequest }) => {
    const registered = environment.configuration.repositories.find(({ name }) => name === repository)?.github ?? null;
    if (!environment.github || registered === null) return null;
    // A pull request of ours may have another name by now than the repository is registered by.
    const name = onPullRequest === true ? (place.split('#', 1)[0] ?? '') : registered;
    return issueOf({ kind: 'github', reference: place }, name);
  },
  tell: async (number, request, message, call) => {
    const { taskId, about, to, stage, onPullRequest, known } = request;
    const repository = openRepository(call, request);
    const text = `${to === null ? '' : `@${to} `}${bodyOf(message, onPullRequest !== true)}`;
    const written = { taskId, number, about, text };
    const comment =
      known === null ? await writeComment(repository, written) : await rewriteComment(repository, known, written);
    if (stage !== null) {
      const remove = ALL_LABELS.filter((label) => label !== LABELS[stage]);
      await changeLabels(repository, { number, add: [LABELS[stage]], remove });
    }
    if (comment === null) return { outcome: 'gone', id: known, state: null };
    const outcome = comment.outcome === 'written' ? 'written' : 'updated';
    return { outcome, id: String(comment.id), state: null };
  },
  asFailure: asGithubFailure,
});

function bodyOf(message: Message, sendsBack: boolean): string {
  const { text, words, link, isOpen, choices } = message;
  return [
    quoted(text),
    ...(words === null ? [] : [quoted(words).replaceAll(/^/gm, '> ')]),
    ...(isOpen ? [howToAnswer({ ...message, choices: choices.map(quoted) }, '@workledger', sendsBack)] : []),
    ...(link === null ? [] : [`[The task](${link})`]),
  ].join('\n\n');
}
