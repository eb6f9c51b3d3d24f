import type { ArtefactReference, DiffStat } from '@workledger/shared/contexts/values.ts';
import { diffStat, diffText } from '../git/commits.ts';
import { refuse } from './failures.ts';
import type { CodeAttempt } from './in-attempt.ts';

/** Bytes of one change, as files and as a patch. */
export const MAX_CHANGE_BYTES = 50_000_000;

/** Keeps the change between two commits in the artefact store. @throws ComponentFailure when it is too large */
export async function storeDiff(
  code: CodeAttempt,
  step: string,
  from: string,
  to: string,
): Promise<{ diffStat: DiffStat; diff: ArtefactReference }> {
  const text = await diffText(code.mirror, from, to, MAX_CHANGE_BYTES);
  if (text.length > MAX_CHANGE_BYTES)
    refuse(step, `the change is a patch of ${text.length} bytes, over the limit of ${MAX_CHANGE_BYTES}`);
  try {
    const diff = await code.environment.artefacts.put(text, 'text/x-diff');
    return { diffStat: await diffStat(code.mirror, from, to), diff };
  } catch (error) {
    if (error instanceof RangeError) refuse(step, `the change is too large to keep: ${error.message}`, error);
    throw error;
  }
}
