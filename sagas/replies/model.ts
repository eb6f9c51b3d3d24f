import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { QuestionEvent } from '@workledger/shared/contexts/task/question/events.ts';
import type { AlsoTold, TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { ReplyRequest } from '../components/replies/reply.ts';

export type Input = TaskEvent | QuestionEvent | DeliveryEvent;

export type Kind = 'github' | 'linear' | 'slack';

export type Place = { readonly kind: Kind; readonly place: string };

/** Where a task is told of that was not asked for there; Linear's is looked up when it is told. */
type Elsewhere = AlsoTold[number] & { readonly isAlso: true };

/** Something to be told: the newest of what has one name. */
export type Due = Pick<ReplyRequest, 'about' | 'to' | 'text' | 'reason' | 'questionId' | 'isOpen' | 'stage'> & {
  /** Left out: where the task came from. */
  readonly at?: Place | Elsewhere | undefined;
};

type ByKind = Readonly<Partial<Record<Kind, number>>>;

export type RepliesState = {
  /** Where the task came from; null: nowhere that can be told, or not known yet. */
  readonly from: (Place & { readonly taskId: string; readonly repository: string }) | null;
  /** Where else it is told of; null: nowhere. */
  readonly also: {
    readonly taskId: string;
    readonly repository: string;
    readonly places: AlsoTold;
  } | null;
  readonly pullRequest: string | null;
  readonly due: readonly Due[];
  readonly telling: Due | null;
  /** What cannot be told, as the last call has shown. */
  readonly lost: Due | null;
  /** Calls that were begun. */
  readonly count: number;
  /** Where telling fails, and how often in a row: none waits for another's server. */
  readonly failures: ByKind;
  /** Where nothing is told for now: the call that failed there. */
  readonly waits: ByKind;
  /** What could not be told, and stands among what is parked: the call, by the name of what it tells. */
  readonly untold: Readonly<Record<string, string>>;
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
        /** Where it is asked. */
        readonly places: readonly Place[];
      }
    >
  >;
  /** Deliveries that answered late, as was told before the answer that stands was seen here. */
  readonly late: readonly string[];
  /** Who answered by which delivery, and about which question. */
  readonly answers: Readonly<
    Record<
      string,
      {
        readonly by: string;
        readonly questionId: string;
        readonly choice: string | null;
        /** Where that was said; left out: where the task came from. */
        readonly at: Place | undefined;
      }
    >
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

/** Undefined: there is none, or none of GitHub's. */
export function pullRequestOf({ pullRequest }: Pick<RepliesState, 'pullRequest'>): Place | undefined {
  const [, repository, number] = PULL_REQUEST.exec(pullRequest ?? '') ?? [];
  return repository === undefined ? undefined : { kind: 'github', place: `${repository}#${number}` };
}

/** Said on a pull request that names the task and is none of its own: anybody may write that into theirs. */
export const isElsewhere = (
  { from, pullRequest }: RepliesState,
  { repository, pullRequest: number }: Pick<Answered, 'repository' | 'pullRequest'>,
): boolean =>
  number !== undefined && (repository !== from?.repository || pullRequest?.endsWith(`/pull/${number}`) !== true);

/** Where somebody said it. */
export const saidAt = (state: RepliesState, { pullRequest }: Pick<Answered, 'pullRequest'>): Place | undefined =>
  pullRequest === undefined ? undefined : pullRequestOf(state);

/** Where questions are asked from now on: where the task came from, and on its pull request; of an issue on GitHub there alone, once there is one. */
export function placesOfQuestions(state: RepliesState): readonly Place[] {
  if (state.from === null) return [];
  const { kind, place } = state.from;
  const pull = pullRequestOf(state);
  if (kind === 'github') return [pull ?? { kind, place }];
  return [{ kind, place }, ...(pull === undefined ? [] : [pull])];
}

/** In whose hands it is. */
export const kindOf = ({ from }: Pick<RepliesState, 'from'>, { at }: Due): Kind => (at ?? from)?.kind ?? 'github';

/** Where else it is told of now: what nothing of is attached to an issue of Linear yet is told there later. */
export const alsoToldAt = ({ also, pullRequest }: RepliesState): readonly Elsewhere[] =>
  (also?.places ?? [])
    .filter(({ kind, place }) => kind !== 'linear' || place !== null || pullRequest !== null)
    .map((place) => ({ ...place, isAlso: true }));

/** Where something is to be told, as its component is asked. Null: nowhere that is known. */
export function whereOf(
  { from, pullRequest, messages }: RepliesState,
  { about, at = from ?? undefined }: Due,
): { readonly place: string; readonly attachedTo?: string[] } | null {
  if (at === undefined) return null;
  const isAlso = 'isAlso' in at;
  if (isAlso && at.kind === 'linear') {
    const attachedTo = [at.place, pullRequest].filter((url) => url !== null);
    return attachedTo[0] === undefined ? null : { place: attachedTo[0], attachedTo };
  }
  if (at.place === null) return null;
  // What is asked goes into the thread of what was told of the task.
  const thread = isAlso && about !== 'task/slack' ? messages['task/slack'] : undefined;
  return { place: thread === undefined ? at.place : `${at.place}/${thread}` };
}

export const note = (about: string, by: string, text: string, at?: Place): Due => ({
  ...{ about, text, at, to: by.slice(by.indexOf(':') + 1), questionId: null, isOpen: false, stage: null },
});

/** As a name of a message has it. */
export const safe = (by: string): string => by.replaceAll(/[^\w.:/@-]/g, '_').slice(0, 150);
