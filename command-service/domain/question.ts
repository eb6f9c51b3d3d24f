import type { Aggregate, DecisionContext } from '@workledger/shared/aggregate/aggregate.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import type { DataOf } from '@workledger/shared/contexts/define-commands.ts';
import type { questionCommands } from '@workledger/shared/contexts/task/question/commands.ts';
import {
  ANSWERED_BEFORE,
  APPROVAL_CHOICES,
  type VIA,
  type QuestionEvent,
} from '@workledger/shared/contexts/task/question/events.ts';
import { questionFold, type QuestionState } from '@workledger/shared/contexts/task/question/state.ts';

type Commands = DataOf<typeof questionCommands>;
type Asked = Extract<QuestionEvent, { type: 'QuestionAsked' }>['data'];

/** What the key of whoever asks is good for; null: a part of the system. */
export type Powers = { readonly role: Role | null; readonly teams: readonly string[] };

export type QuestionDecisions = {
  'question.ask': Pick<Asked, 'taskId' | 'repository' | 'askee' | 'text' | 'choices' | 'deadline'>;
  'question.ask-approval': Commands['question.ask-approval'] & {
    readonly repository: string | null;
    readonly text: string;
    readonly makers: readonly string[];
  };
  'question.ask-choice': Omit<Commands['question.ask-choice'], 'commit'> & { readonly repository: string | null };
  /** A step of a run of a workflow asks. */
  'question.ask-in-run': Pick<Asked, 'runId' | 'repository' | 'askee' | 'text' | 'choices'>;
  'question.answer': Commands['question.answer'] & {
    readonly powers: Powers;
    /** Who answers, where that is not who sends, and by which way. */
    readonly from?: { readonly by: string; readonly via: Exclude<(typeof VIA)[number], 'api'> };
  };
  'question.withdraw': Commands['question.withdraw'] & { readonly powers: Powers };
  /** `now`: milliseconds since 1970. */
  'question.meet-deadline': Commands['question.meet-deadline'] & { readonly now: number };
};

/**
 * Something that work waits for, and only somebody else can say. The first answer stands, wherever it comes from; what comes of no
 * answer is settled when it is asked.
 */
export const question: Aggregate<QuestionState, QuestionEvent, QuestionDecisions> = {
  ...questionFold,
  decisions: {
    'question.ask': (data, state, { actor }) => {
      if (state.status !== 'missing') refuse('already-exists', 'this question is asked already');
      const { deadline, choices } = data;
      if (new Set(choices).size < choices.length) outOfRange('choices', 'name each choice once');
      if (deadline?.answer !== undefined && choices.length > 0 && !choices.includes(deadline.answer))
        outOfRange('deadline.then.answer', `use one of the choices: ${choices.join(', ')}`);
      return [{ type: 'QuestionAsked', data: { ...data, askedBy: actor, runId: null, approval: null } }];
    },
    'question.ask-approval': ({ commit, base, makers, ...data }, state, { actor }) => {
      if (state.status !== 'missing') return [];
      const approval = { commit, base, makers: [...makers] };
      const choices = [...APPROVAL_CHOICES];
      return [{ type: 'QuestionAsked', data: { ...data, askedBy: actor, choices, deadline: null, approval } }];
    },
    'question.ask-choice': (data, state, { actor }) =>
      state.status !== 'missing'
        ? []
        : [{ type: 'QuestionAsked', data: { ...data, askedBy: actor, deadline: null, approval: null } }],
    'question.ask-in-run': (data, state, { actor }) =>
      state.status !== 'missing'
        ? []
        : [
            {
              type: 'QuestionAsked',
              data: { ...data, askedBy: actor, taskId: null, deadline: null, approval: null },
            },
          ],
    'question.answer': ({ choice, words, powers, from }, state, context) => {
      const asked = there(state);
      const { by, via } = from ?? { by: context.actor, via: 'api' as const };
      demandMayAnswer(state, powers, { actor: by });
      if (state.answer !== null)
        refuse('already-answered', ANSWERED_BEFORE, {
          answer: state.answer,
        });
      demandOpen(state, 'be answered');
      demandFits(asked, { choice, words });
      return [{ type: 'QuestionAnswered', data: { ...aboutOf(asked), choice, words, answeredBy: by, via } }];
    },
    'question.withdraw': ({ reason, powers }, state, { actor }) => {
      const asked = there(state);
      const isSystem = powers.role === null && !actor.startsWith('agent:');
      const isOwn = asked.approval === null && (actor === asked.askedBy || powers.role === 'admin');
      if (!isSystem && !isOwn)
        refuse(
          'forbidden',
          'a question is withdrawn by whoever asked it, or an administrator; an approval is answered',
        );
      if (state.status === 'withdrawn') return [];
      // Whoever ends a task does not look what became of its questions.
      if (isSystem && state.status !== 'open') return [];
      demandOpen(state, 'be withdrawn');
      return [{ type: 'QuestionWithdrawn', data: { ...aboutOf(asked), withdrawnBy: actor, reason } }];
    },
    'question.meet-deadline': ({ at, now }, state) => {
      const { deadline, choices, ...asked } = there(state);
      const isDue = state.status === 'open' && !state.escalated && deadline?.at === at && now >= Date.parse(at);
      if (!isDue) return [];
      const about = aboutOf(asked);
      const { answer = null, role } = deadline;
      if (deadline.then === 'escalate' && role !== undefined)
        return [{ type: 'QuestionEscalated', data: { ...about, role } }];
      if (deadline.then === 'fail')
        return [{ type: 'QuestionFailed', data: { ...about, reason: 'nobody answered in time' } }];
      const given = choices.length > 0 ? { choice: answer, words: null } : { choice: null, words: answer };
      return [{ type: 'QuestionDefaulted', data: { ...about, ...given } }];
    },
  },
};

const there = ({ asked }: QuestionState): NonNullable<QuestionState['asked']> =>
  asked ?? refuse('not-found', 'there is no such question');

const aboutOf = ({ taskId, runId }: Pick<Asked, 'taskId' | 'runId'>) => ({ taskId, runId });

function demandOpen({ status }: QuestionState, what: string): void {
  if (status !== 'open') refuse('illegal-transition', `a question that is ${status} cannot ${what}`, { status });
}

/** Whoever is asked, or is an administrator; never those whose work is to be approved. */
function demandMayAnswer(
  { asked, askees }: QuestionState,
  { role, teams }: Powers,
  { actor }: Pick<DecisionContext, 'actor'>,
): void {
  if (asked?.approval?.makers.includes(actor) === true)
    refuse('forbidden', 'whoever made the work does not decide about its merge');
  const isAsked = askees.some((askee) => {
    if (askee.kind === 'participant') return askee.participant === actor;
    return askee.kind === 'role' ? askee.role === role : teams.includes(askee.team);
  });
  if (!isAsked && role !== 'admin') refuse('forbidden', 'this question is for somebody else', { askees });
}

function demandFits(
  { choices, approval }: Pick<Asked, 'choices' | 'approval'>,
  { choice, words }: Commands['question.answer'],
): void {
  if (choices.length === 0) {
    if (choice !== null) outOfRange('choice', 'this question has no choices: answer it by words');
    if (words === null) outOfRange('words', 'this question is answered by words');
    return;
  }
  if (choice === null || !choices.includes(choice)) outOfRange('choice', `use one of: ${choices.join(', ')}`);
  if (approval !== null && choice !== 'approve' && (words ?? '').trim() === '')
    outOfRange('words', 'say what is wrong with the work');
}

const outOfRange = (field: string, message: string): never =>
  refuse('out-of-range', `${field}: ${message}`, { errors: [{ path: `body.${field}`, message }] });
