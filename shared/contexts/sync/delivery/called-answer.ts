import type { ANSWERS } from './events.ts';

type Said = { readonly verb: (typeof ANSWERS)[number]; readonly words: string | null };

const COMMAND = /^(approve|send[- ]back|refuse|reject|answer)(?![\w-])([^]*)$/i;

/** What words that begin with a name of ours say to a question; null: they are no answer. @param words what follows the name */
export function answerIn(words: string): Said | null {
  const [, said, rest = ''] = COMMAND.exec(words.trim()) ?? [];
  if (said === undefined) return null;
  const text = rest
    .replace(/^[\s:,]+/, '')
    .trimEnd()
    .slice(0, MOST);
  return { verb: VERBS[said.toLowerCase().replace(' ', '-')] ?? 'answer', words: text === '' ? null : text };
}

/** Of the words of an answer. */
const MOST = 10_000;
const VERBS: Readonly<Record<string, Said['verb']>> = {
  ...{ approve: 'approve', 'send-back': 'send-back', refuse: 'refuse', reject: 'refuse' },
};

const CALLED = /^\s*@workledger(?:\[bot\])?(?![\w@.-])[\s:,]*/i;

/** As `answerIn`, of a whole text; null also where it does not begin by calling us. */
export function calledAnswer(text: string): Said | null {
  return CALLED.test(text) ? answerIn(text.replace(CALLED, '')) : null;
}

const CALL = /(?:^|[\s(])@workledger(?:\[bot\])?\b[\s:,]*/gi;
/** Of what follows a call, as much as tells what it is. */
const MOST_TELLING = 200;
/** Nothing more than that a review is wanted. */
const REVIEW = /^review(?:\s+(?:it|this|again|please))*[\s.!?]*$/i;

/** Whether a text speaks to us, wherever in it. */
export const callsUs = (text: string): boolean => text.search(CALL) !== -1;

/**
 * Whether a text that calls us wants the work changed. A call that is followed by an answer's verb does not: where it stands first it is
 * one, and elsewhere nobody can tell.
 */
export const asksForChanges = (text: string): boolean =>
  [...text.matchAll(CALL)].some(({ index, 0: call }) => {
    const words = text.slice(index + call.length, index + call.length + MOST_TELLING);
    return !REVIEW.test(words) && (answerIn(words)?.verb ?? 'send-back') === 'send-back';
  });
