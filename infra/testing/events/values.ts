import { newId } from '@workledger/shared/contexts/stream.ts';
import type { ArtefactReference, Failure } from '@workledger/shared/contexts/values.ts';

/** A run's ids, new for each history. */
export const newRun = (): { taskId: string; runId: string } => ({ taskId: newId(), runId: newId() });

export const commitOf = (digit: string): string => digit.repeat(40);

export const paper = (digit: string): ArtefactReference => ({
  digest: digit.repeat(64),
  size: 12,
  mediaType: 'text/plain',
});

export const failed = (reason: string): Failure => ({
  step: 'validate',
  reason,
  command: ['node', '--test'],
  exitCode: 1,
  lastLines: ['not ok 1'],
  log: paper('f'),
});

export const diffStat = { files: 1, insertions: 2, deletions: 1 };
