import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { ReplyRequest } from '../components/replies/reply.ts';

export type Input = TaskEvent | QuestionEvent | DeliveryEvent;

/** Something to be told: the newest of what has one name. */
export type Due = Pick<ReplyRequest, 'about' | 'to' | 'text' | 'questionId' | 'isOpen' | 'stage'> & {
  /** Left out: where the task came from. */
  readonly place?: string | undefined;
};

export type Kind = 'github' | 'linear' | 'slack';

export type RepliesState = {
  /** Where the task came from; null: nowhere that can be told, or not known yet. */
  readonly from: {
    readonly taskId: string;
    readonly kind: Kind;
    readonly place: string;
    readonly repository: string;
  } | null;
  readonly pullRequest: string | null;
  readonly due: readonly Due[];
  readonly telling: Due | null;
  /** Calls that were begun. */
  readonly count: number;
  /** Of the one that is told now, or that is tried again: how often it failed. */
  readonly failures: number;
  /** What was told, by name: what the provider calls the message. */
  readonly messages: Readonly<Record<string, string>>;
  /** Of Linear's issue: the state that was seen or set last. */
  readonly issueState: string | null;
  readonly questions: Readonly<
    Record<
      string,
      {
        readonly isOpen: boolean;
        readonly isApproval: boolean;
        readonly by: string | null;
        readonly choice: string | null;
        /** Where it is asked; left out: where the task came from. */
        readonly place?: string | undefined;
      }
    >
  >;
  /** Deliveries that answered late, as was told before the answer that stands was seen here. */
  readonly late: readonly string[];
  /** Who answered by which delivery, and about which question. */
  readonly answers: Readonly<
    Record<string, { readonly by: string; readonly questionId: string; readonly choice: string | null }>
  >;
};

export type Answered = Extract<DeliveryEvent, { type: 'DeliveryAnswered' }>['data'];

/** Which question is meant: the one that is named, or the only one that can be; the newest, where none is open any more. */
export function questionOf(
  { questions }: RepliesState,
  { questionId, verb }: Pick<Answered, 'questionId' | 'verb'>,
): string | null {
  if (questionId !== null) return questionId;
  const fitting = Object.entries(questions).filter(([, { isApproval }]) => isApproval === (verb !== 'answer'));
  const open = fitting.filter(([, { isOpen }]) => isOpen);
  if (open.length > 1) return null;
  return open[0]?.[0] ?? fitting.at(-1)?.[0] ?? null;
}

const PULL_REQUEST = /\/([^/]+\/[^/]+)\/pull\/([1-9]\d*)$/;

/** Undefined: it is none, or none of GitHub's. @param url of a pull request */
export function placeOnPullRequest(url: string | null): string | undefined {
  const [, repository, number] = PULL_REQUEST.exec(url ?? '') ?? [];
  return repository === undefined ? undefined : `${repository}#${number}`;
}

/** Said on a pull request that names the task and is none of its own: anybody may write that into theirs. */
export const isElsewhere = (
  { from, pullRequest }: RepliesState,
  { repository, pullRequest: number }: Pick<Answered, 'repository' | 'pullRequest'>,
): boolean =>
  number !== undefined && (repository !== from?.repository || pullRequest?.endsWith(`/pull/${number}`) !== true);

/** Where questions are asked from now on: on GitHub on the pull request, as soon as there is one. */
export const placeOfQuestions = ({ from, pullRequest }: RepliesState): string | undefined =>
  from?.kind === 'github' ? placeOnPullRequest(pullRequest) : undefined;

/** Where somebody spoke about a question, or about whichever was asked last. */
export const placeOf = ({ questions }: RepliesState, questionId: string | null): string | undefined =>
  (questionId === null ? Object.values(questions).at(-1) : questions[questionId])?.place;

export const note = (about: string, by: string, text: string, place?: string): Due => ({
  ...{ about, text, place, to: by.slice(by.indexOf(':') + 1), questionId: null, isOpen: false, stage: null },
});

/** As a name of a message has it. */
export const safe = (by: string): string => by.replaceAll(/[^\w.:/@-]/g, '_').slice(0, 150);
