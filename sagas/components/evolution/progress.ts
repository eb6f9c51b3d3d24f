import type { Note } from '../../engine/notes.ts';

/** How an iteration ended, by a line of OpenEvolve's log; null: another line. */
function endedIn(line: string): { readonly iteration: number; readonly problem: string | null } | null {
  const done = /Iteration (\d{1,9}): Program \S+ \(parent: \S+\) completed in /.exec(line);
  if (done !== null) return { iteration: Number(done[1]), problem: null };
  const failed = /Iteration (\d{1,9}) (?:error(?: \[[^\]]{0,40}\])?: (.{1,300})|timed out)/.exec(line);
  return failed === null ? null : { iteration: Number(failed[1]), problem: failed[2] ?? 'it timed out' };
}

const REASON = /\u2705 Evolution completed - (.{1,100})|(Target score \S+ reached)|\ud83d\uded1 (Early stopping \S+)/;

export type Progress = {
  /** Reads what was printed, in whatever pieces. */
  take(chunk: Buffer): void;
  /** It goes on after this iteration: what came later is done again. */
  goOn(after: number): void;
  /** How many iterations ended, whichever way and in whichever attempt. */
  count(): number;
  /** Why the last of those ended that came to no program. */
  problem(): string | null;
  /** Why OpenEvolve ended, in its own words; null: it did not tell. */
  reason(): string | null;
};

const LONGEST_LINE = 16_384;

/**
 * Follows OpenEvolve by its log: iterations end out of order, and only those that came to a program are in its trace. After a kill some
 * run again; each counts once.
 */
export function followProgress(
  iterations: number,
  { best, note }: { readonly best: () => string; readonly note: (note: Note) => void },
): Progress {
  const ended = new Set<number>();
  let rest = '';
  let problem: string | null = null;
  let reason: string | null = null;
  const read = (line: string): void => {
    const why = REASON.exec(line);
    // A target that is reached is told first, and "maximum iterations" after it.
    if (why !== null) reason ??= why[1] ?? why[2] ?? why[3] ?? null;
    const told = endedIn(line);
    if (told === null || told.iteration < 1 || told.iteration > iterations) return;
    ended.add(told.iteration);
    problem = told.problem ?? problem;
    const percent = Math.min(100, Math.round((100 * ended.size) / iterations));
    note({ text: `OpenEvolve: ${ended.size} of ${iterations} iterations, ${best()}`, percent });
  };
  return {
    take: (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
      for (const line of lines) read(line.slice(0, LONGEST_LINE));
    },
    goOn: (after) => {
      for (const later of [...ended].filter((one) => one > after)) ended.delete(later);
      for (let earlier = 1; earlier <= after; earlier++) ended.add(earlier);
    },
    count: () => ended.size,
    problem: () => problem,
    reason: () => reason,
  };
}
