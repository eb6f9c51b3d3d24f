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
