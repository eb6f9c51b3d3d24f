import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

/** One line of a task's history: what happened and when. Who asked for it is for auditors, under /streams. */
export type HistoryEntry = {
  readonly type: string;
  readonly revision: number;
  readonly recordedAt: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** What tells the course of the work; what the task itself has is left out. */
const TOLD = ['claimId', 'agentId', 'runtime', 'percent', 'note', 'commit', 'reason', 'result', 'failure', 'subtasks'];

export const historyEntry = ({ type, revision, recordedAt, data }: RecordedEvent): HistoryEntry => ({
  type,
  revision,
  recordedAt: recordedAt.toISOString(),
  data: Object.fromEntries(Object.entries(data as object).filter(([name]) => TOLD.includes(name))),
});
