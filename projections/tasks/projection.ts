import { nullsOf } from '@workledger/shared/contexts/define-row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { taskModel, taskRow, type TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { tasksMigrations } from './migration.ts';

type Created = Extract<Recorded<TaskEvent>, { type: 'TaskCreated' }>;
type Later = Exclude<TaskEvent, { type: 'TaskCreated' }>;

/** The task after the event. */
function foldTask(row: TaskRow | undefined, event: Recorded<TaskEvent>): TaskRow {
  const at = event.recordedAt.toISOString();
  if (event.type === 'TaskCreated') return created(event, at);
  return {
    ...existing(row, event),
    ...changes(existing(row, event), event, at),
    revision: event.revision,
    updatedAt: at,
  };
}

function changes(row: TaskRow, event: Later, at: string): Partial<TaskRow> {
  switch (event.type) {
    case 'TaskDetailsChanged':
      return given(event.data);
    case 'TaskExpanded':
      return { subtasks: event.data.subtasks };
    case 'TaskExpansionGivenUp':
      return {};
    case 'TaskClaimed':
      return {
        state: 'in-progress',
        claimId: event.data.claimId,
        agentId: event.data.agentId,
        runtime: event.data.runtime,
        leaseSeconds: event.data.leaseSeconds,
        claimedAt: at,
        attempts: row.attempts + 1,
        progressNote: null,
        progressPercent: null,
        submittedCommit: null,
      };
    case 'TaskProgressReported':
      return { progressNote: event.data.note, progressPercent: event.data.percent };
    case 'TaskWorkSubmitted':
      return { state: 'validation', submittedCommit: event.data.commit };
    case 'TaskApprovalAsked':
    case 'TaskPullRequestNoticed':
      return {};
    case 'TaskPullRequestOpened':
      return { pullRequest: { number: event.data.number, url: event.data.url } };
    case 'TaskSentBack':
      return { state: 'in-progress', sentBack: row.sentBack + 1, reason: reasonOf(event.data) };
    case 'TaskClaimReleased':
      return {
        ...{ state: 'pending', ...unclaimed, reason: event.data.reason },
        // That its agent met a limit of use was no attempt.
        ...(event.data.limit && { attempts: row.attempts - 1 }),
      };
    case 'TaskClaimExpired':
      return { state: 'pending', ...unclaimed, reason: 'the lease ran out' };
    case 'TaskCompleted':
      return {
        ...{ state: 'complete', result: event.data.result, failure: null, finishedAt: at },
        // Who cancelled it came too late.
        ...(row.state === 'cancelled' && { reason: null }),
      };
    case 'TaskFailed':
      return {
        ...{ state: 'failed', failure: event.data.failure, finishedAt: at },
        ...(event.data.words !== undefined && { reason: event.data.words }),
      };
    case 'TaskCancelled':
      return { state: 'cancelled', reason: event.data.reason, finishedAt: at };
    case 'TaskRetried':
      return {
        state: 'pending',
        ...unclaimed,
        failure: null,
        reason: reasonOf(event.data),
        waitingSince: at,
        finishedAt: null,
      };
  }
}

/** What a person said comes before what Workledger says. */
const reasonOf = ({ reason, words = reason }: { reason: string; words?: string | undefined }): string => words;

const unclaimed = {
  claimId: null,
  agentId: null,
  runtime: null,
  leaseSeconds: null,
  claimedAt: null,
  progressNote: null,
  progressPercent: null,
  submittedCommit: null,
} as const;

/** Only what was given: a field that is missing stays as it was. */
const given = <Fields extends object>(fields: Fields): Given<Fields> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<Fields>;
type Given<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };

const nothing = nullsOf(taskRow);

/** Every field that event and row name alike goes from one to the other. */
function created({ stream, revision, data }: Created, at: string): TaskRow {
  const { dependencies: _, source, ...details } = data;
  return {
    ...nothing,
    id: streamId(stream),
    revision,
    state: 'pending',
    ...given(details),
    subtasks: [],
    sourceKind: source.kind,
    sourceReference: source.reference,
    sourceUrl: source.url,
    attempts: 0,
    sentBack: 0,
    createdAt: at,
    waitingSince: at,
    updatedAt: at,
  };
}

export const tasks = defineProjection<TaskRow, Recorded<TaskEvent>>(taskModel, {
  migrations: tasksMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldTask,
});
