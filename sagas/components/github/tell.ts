import { howToAnswer, messageOf, replyRequest, replyResult, OFF, type Message } from '../replies/reply.ts';
import { defineComponent } from '../run-component.ts';
import { asGithubFailure } from './classify.ts';
import { writeComment } from './comments.ts';
import { openRepository } from './repository.ts';
import { quoted } from './body.ts';

/** One comment for each thing that is told, on the issue that the task came from. */
export const tell = defineComponent({
  request: replyRequest,
  result: replyResult,
  limits: { turns: { atOnce: () => 16 }, seconds: () => 240 },
  perform: async (request, call) => {
    const { github } = call.environment;
    const number = Number(/#([1-9]\d{0,9})$/.exec(request.place)?.[1]);
    if (github === null || github === undefined || Number.isNaN(number)) return OFF;
    try {
      const message = await messageOf(request, call);
      if (message === null) return { outcome: 'gone' as const, id: null, state: null };
      const { taskId, about, to } = request;
      const text = `${to === null ? '' : `@${to} `}${bodyOf(message)}`;
      const { outcome, id } = await writeComment(openRepository(call, request), { taskId, number, about, text });
      return {
        outcome: outcome === 'written' ? ('written' as const) : ('updated' as const),
        id: String(id),
        state: null,
      };
    } catch (error) {
      throw asGithubFailure(call.step, error);
    }
  },
});

function bodyOf(message: Message): string {
  const { text, asked, link, isOpen, choices } = message;
  return [
    text,
    ...(asked === null ? [] : [quoted(asked).replaceAll(/^/gm, '> ')]),
    ...(isOpen ? [howToAnswer({ ...message, choices: choices.map(quoted) }, '@workledger')] : []),
    ...(link === null ? [] : [`[The task](${link})`]),
  ].join('\n\n');
}
