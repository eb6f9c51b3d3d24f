import type { EvolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import type { ArtefactReference, DiffStat, Failure, Metrics } from '@workledger/shared/contexts/values.ts';

/** What the code components are asked and what they answer: plain JSON, recorded in the saga's stream. */
type InRun = { readonly taskId: string; readonly runId: string; readonly repository: string };

/** Fetches the repository and tells where work starts and what its registration asks for. */
export type PrepareRequest = InRun;
export type PrepareResult = {
  readonly base: string;
  readonly evolve: EvolutionPlan | null;
  readonly merge: 'never' | 'fast-forward';
  readonly evaluates: boolean;
  /** Agent id that improves candidates; null: the one that claimed the task. */
  readonly improver: string | null;
  /** Seconds, whole steps. */
  readonly timeouts: { readonly agent: number; readonly check: number };
};

/** Lets a configured agent edit the code in a worktree of its own, from `parent`, and commits what it did. */
export type WorkRequest = InRun & {
  readonly agentId: string;
  readonly parent: string;
  /** Names the result: kept in the origin under refs/workledger/<taskId>/<runId>/<label>. */
  readonly label: string;
  readonly prompt: {
    readonly purpose: 'generate' | 'improve';
    /** Whole text is in the artefact; the agent gets its end. */
    readonly feedback: { readonly reason: string; readonly log: ArtefactReference | null } | null;
    readonly metrics: { readonly metric: string; readonly direction: string; readonly current: Metrics } | null;
  };
  /** Also measure the result with the `evaluate` command. */
  readonly evaluate: boolean;
};
export type WorkResult = {
  readonly commit: string;
  readonly diffStat: DiffStat;
  readonly diff: ArtefactReference;
  readonly prompt: ArtefactReference;
  readonly output: ArtefactReference;
  readonly exitCode: number | null;
  readonly costUsd: number | null;
  readonly durationMs: number;
  readonly metrics: Metrics | null;
};

export type EvaluateRequest = InRun & { readonly commit: string };
export type EvaluateResult = { readonly metrics: Metrics; readonly output: ArtefactReference };

export type PublishRequest = InRun & { readonly commit: string; readonly branch: string };
export type PublishResult = { readonly branch: string; readonly commit: string };
export type UnpublishRequest = InRun & { readonly branch: string };
/** `kept`: people or another run of the task put commits of their own on it. */
export type UnpublishResult = { readonly outcome: 'deleted' | 'absent' | 'kept' };

/** Runs `setup` and `test` in a clean worktree of the commit, protected paths restored from the base. */
export type ValidateRequest = InRun & { readonly commit: string; readonly base: string };
export type ValidateResult = {
  readonly report: ArtefactReference;
  /** What was judged: the commit itself, or one on top of it with the protected paths restored. */
  readonly commit: string;
  readonly protectedChanges: readonly string[];
  /** null: it passed. */
  readonly failure: Failure | null;
};

/** Moves the base branch to the commit, only if the base is still `base`. */
export type MergeRequest = InRun & { readonly commit: string; readonly base: string };
export type MergeResult = { readonly outcome: 'merged' | 'base-moved'; readonly commit: string; readonly base: string };

/** Replays base..commit onto the base branch as it is now. */
export type RebaseRequest = InRun & { readonly commit: string; readonly base: string; readonly label: string };
export type RebaseResult =
  | { readonly outcome: 'rebased'; readonly commit: string; readonly base: string }
  | { readonly outcome: 'conflict'; readonly base: string; readonly detail: string };

/** What changed from base to commit, in all. */
export type DiffRequest = InRun & { readonly commit: string; readonly base: string };
export type DiffResult = { readonly diffStat: DiffStat; readonly diff: ArtefactReference };

/** Checks that a commit which a remote agent left in the origin is there and descends from the base. */
export type InspectRequest = InRun & { readonly commit: string; readonly base: string };
export type InspectResult = DiffResult;

/** Kills what still runs for this task run, removes its worktrees and its refs; other runs keep theirs. */
export type CleanupRequest = InRun;
export type CleanupResult = { readonly worktrees: number };
