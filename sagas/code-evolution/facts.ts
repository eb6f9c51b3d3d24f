import type { EvolutionEvent, EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { ApprovalChoice } from '@workledger/shared/contexts/task/question/events.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { type ArtefactReference, type Failure, failure, type Fault } from '@workledger/shared/contexts/values.ts';
import type { RequestOf, ResultOf } from '../components/catalogue.ts';

export type Claim = Extract<TaskEvent, { type: 'TaskClaimed' }>['data'] & { readonly taskId: string };
type Opened = Extract<EvolutionEvent, { type: 'EvolutionGenerationOpened' }>['data'];
type Completed = Extract<EvolutionEvent, { type: 'EvolutionCompleted' }>['data'];

/** Why work goes back, and what the next attempt should read. */
export type Feedback = {
  readonly reason: string;
  readonly log: ArtefactReference | null;
  /** What went wrong, whole; missing in what was recorded before it was kept. */
  readonly failure?: Failure;
  /** An approval whose answer sent it back: its words are where they were said. */
  readonly questionId?: string;
};

/** An attempt at writing the code, as its generation was told of it. */
export type Try = RequestOf<'generation.learn'>['outcomes'][number];

/** What the steps of one run know, folded from what happened: by what each step says as it ends and `learns` from its effects, and by `absorb.ts`. */
export type Facts = {
  readonly claim: Claim | null;
  /** When the first step began. */
  readonly beganAt: string | null;
  readonly stopped: string | null;
  readonly prepared: (ResultOf<'code.prepare'> & { readonly metricsBefore: ResultOf<'code.work'>['metrics'] }) | null;
  /** Where the branch starts from now: moves when the work is rebased. */
  readonly base: string | null;
  /** The newest state of the work. */
  readonly commit: string | null;
  /** Of the candidate that the next generation starts from. */
  readonly metrics: ResultOf<'code.work'>['metrics'];
  /** What agents cost so far, in US dollars; null while none told. */
  readonly costUsd: number | null;
  readonly submissions: readonly { readonly commit: string | null }[];
  readonly opened: readonly Opened[];
  readonly evolved: Completed | null;
  readonly evolutionFailure: Failure | null;
  /** How its candidate is written, where no agent writes it. */
  readonly engine: Pick<EvolutionPlan, 'openevolve' | 'budgetUsd'> | null;
  /** What evolution started from; null while it has not. */
  readonly start: string | null;
  /** What the tests said of a commit on a base, by `judgementOf`: asked once in a run. */
  readonly judged: Readonly<Record<string, ResultOf<'code.validate'>>>;
  /** What `code.evaluate` said, likewise. */
  readonly measured: Readonly<Record<string, ResultOf<'code.evaluate'>>>;
  /** Judgements and measurements that were asked for and have no result, by the key of their effect. */
  readonly asked: Readonly<Record<string, string>>;
  /** The first commit of each tree that an agent left. */
  readonly trees: Readonly<Record<string, string>>;
  /** Candidates of the newest generation that evolution was told about. */
  readonly recorded: Readonly<Record<string, true>>;
  /** Of evolution's ranking or the start: what the run goes on with; null before evolution's end, and again when work went back. */
  readonly chosen: string | null;
  /** What was taken from the ranking, or the start, and refused later. */
  readonly refused: readonly string[];
  /** Verdicts by validation id. */
  readonly verdicts: Readonly<Record<string, 'passed' | 'back-to-work' | 'failed'>>;
  /** Attempts of `generate` that its generation was told of, as `<round>/<attempt>`. */
  readonly told: readonly string[];
  /** Who was chosen to write in a round, first to last; null: there was no choice. */
  readonly strategies: {
    readonly round: number;
    readonly level: ResultOf<'generation.choose'>['level'];
    readonly order: readonly string[];
  } | null;
  /** Attempts since there was a choice. */
  readonly tries: readonly Try[];
  /** What was begun there and not ended; run null: not told. */
  readonly codegen: { readonly label: string; readonly run: number | null } | null;
  readonly feedback: Feedback | null;
  /** Why the last attempt of the agent did not do; null once one did. */
  readonly lastFailure: Failure | null;
  /** Why candidates did not count, newest last: what the next ones are told. */
  readonly failedCandidates: readonly Failure[];
  readonly sentBack: number;
  readonly rebased: number;
  /** How often work that had passed went back because of what was merged meanwhile. */
  readonly overtaken: number;
  /** It has the turn to merge. */
  readonly turn: boolean;
  /** It waits in the merge queue for its turn to be put onto a base that moved, or has that turn. */
  readonly queued: boolean;
  /** The look that had its head put onto a base that moved, as `<round>/<attempt>/<look>`: that is done to its end. */
  readonly moving: string | null;
  /** How often a person took its place in the merge queue. */
  readonly released: number;
  /** The validation under its turn that was asked for last. */
  readonly judging: string | null;
  /** The approval that was asked for last. */
  readonly asking: string | null;
  /** What was answered, by the question; `spent`: it has had its effect. */
  readonly answers: Readonly<Record<string, ApprovalChoice | HeadChoice | 'spent'>>;
  /** The commit that may be merged, where somebody must say so. */
  readonly approved: string | null;
  readonly branch: string | null;
  readonly merged: boolean;
  /** What was asked to be merged, and may be: there is no answer, or one that does not tell. */
  readonly merging: { readonly commit: string; readonly base: string; readonly isStopped: boolean } | null;
  /** What was merged by that, as it lies on the base branch. */
  readonly landing: { readonly commit: string; readonly base: string } | null;
  /** The one that offers the work, where the registration says that it is merged by one. */
  readonly pull: { readonly number: number; readonly url: string } | null;
  /** What the branch changes, as it was published last; undefined: that was not told. */
  readonly change?: ResultOf<'code.publish'>['change'];
  /** How it was seen last. */
  readonly seen: 'open' | 'closed' | 'merged' | null;
  /** The newest of its looks that was asked for, in this attempt of its step. */
  readonly looks: { readonly place: string; readonly number: number };
  /** Somebody told of it since it was looked at. */
  readonly news: boolean;
  /** The newest words on it that work went back with, by ids of its host. */
  readonly heard: { readonly comment: number; readonly review: number; readonly note?: number | undefined };
  /** Checks of others were seen on a head of it. */
  readonly checked: boolean;
  /** The question about a head that is open, and which head that is. */
  readonly stuck: { readonly questionId: string; readonly commit: string } | null;
  /** What failed on it, and sent the work back; the same again is a person's to mend. */
  readonly red: readonly string[];
  /** What its base branch has, where that is another commit than was judged. */
  readonly landed: string | null;
  /** Why the run ends otherwise than well. */
  readonly ending: string | null;
};

export const noFacts: Facts = {
  claim: null,
  beganAt: null,
  stopped: null,
  prepared: null,
  base: null,
  commit: null,
  metrics: null,
  costUsd: null,
  submissions: [],
  opened: [],
  evolved: null,
  evolutionFailure: null,
  engine: null,
  start: null,
  judged: {},
  measured: {},
  asked: {},
  trees: {},
  recorded: {},
  chosen: null,
  refused: [],
  verdicts: {},
  told: [],
  strategies: null,
  tries: [],
  codegen: null,
  feedback: null,
  lastFailure: null,
  failedCandidates: [],
  sentBack: 0,
  rebased: 0,
  overtaken: 0,
  turn: false,
  queued: false,
  moving: null,
  released: 0,
  judging: null,
  asking: null,
  answers: {},
  approved: null,
  branch: null,
  merged: false,
  merging: null,
  landing: null,
  pull: null,
  seen: null,
  looks: { place: '', number: 0 },
  news: false,
  heard: { comment: 0, review: 0 },
  checked: false,
  stuck: null,
  red: [],
  landed: null,
  ending: null,
};

/** What a person may say of a head that does not come further by itself. */
export const HEAD_CHOICES = ['wait', 'merge', 'give-up'] as const;
export type HeadChoice = (typeof HEAD_CHOICES)[number];

/** How often work may go back within one run. */
export const MOST_SENT_BACK = 1;

/** Detail of a step that tells the facts it changes. */
export type Learned = { readonly learned?: Partial<Facts> };

/** Names a commit on a base, for what is asked about both. */
export const judgementOf = ({ commit, base }: { readonly commit: string; readonly base: string }): string =>
  `${commit}@${base}`;

/** Of a result that is a verdict. */
export function failureIn(result: unknown): Failure | null {
  const read = failure.safeParse((result as { failure?: unknown } | null)?.failure);
  return read.success ? read.data : null;
}

/** What was recorded before faults were told is taken for the work's: an agent is rather told too much. */
export const isOfWork = ({ fault }: { readonly fault?: Fault | null | undefined }): boolean =>
  (fault ?? 'work') === 'work';
