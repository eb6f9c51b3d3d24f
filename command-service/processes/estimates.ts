import { effortOf } from '@workledger/shared/estimates/effort.ts';
import { estimate } from '@workledger/shared/estimates/estimate.ts';
import { learn, type Experience } from '@workledger/shared/estimates/experience.ts';
import type { Described } from '@workledger/shared/estimates/features.ts';
import type { Complexity } from '@workledger/shared/contexts/task/task/events.ts';
import { finishedTasks, type FinishedTask } from '@workledger/shared/read-models/finished-tasks.ts';
import { withDeadline } from '@workledger/shared/resilience/with-deadline.ts';
import type { Pool } from 'pg';

/** How hard tasks are that nobody has said it of. */
export type Estimates = {
  /** Never fails, and waits for no server longer than a moment: then the words alone decide. Null: nothing is estimated here. */
  of(task: Described & { readonly repository: string | null }): Promise<Complexity | null>;
};

export const noEstimates: Estimates = { of: async () => null };

const MOST_REPOSITORIES = 200;
const MOST_TASKS = 250;
const LEARNT_FOR_MILLISECONDS = 120_000;
const LONGEST_WAIT_MILLISECONDS = 250;

/** By what became of the tasks of the same repository, and of no other. */
export function createEstimates(pool: Pool, now: () => number = Date.now): Estimates {
  const nothing = learn([]);
  type Known = { until: number; under: Promise<void> | null; experience: Experience };
  const byRepository = new Map<string, Known>();

  async function refresh(known: Known, repository: string | null): Promise<void> {
    try {
      known.experience = learn((await finishedTasks(pool, repository, MOST_TASKS)).flatMap(pastOf));
    } catch {
      // It is a hint: what was known before stands, and it is asked again later.
    }
    known.until = now() + LEARNT_FOR_MILLISECONDS;
    known.under = null;
  }

  function knownOf(repository: string | null): Known {
    const name = repository ?? '';
    const known = byRepository.get(name) ?? { until: 0, under: null, experience: nothing };
    // Whoever was asked last is the last to go.
    byRepository.delete(name);
    byRepository.set(name, known);
    for (const oldest of byRepository.keys()) {
      if (byRepository.size <= MOST_REPOSITORIES) break;
      byRepository.delete(oldest);
    }
    return known;
  }

  return {
    of: async ({ repository, ...task }) => {
      const known = knownOf(repository);
      const isFirst = known.until === 0;
      if (known.under === null && now() >= known.until) known.under = refresh(known, repository);
      if (isFirst && known.under !== null)
        await withDeadline(known.under, LONGEST_WAIT_MILLISECONDS, 'finished tasks').catch(() => undefined);
      return { ...estimate(task, known.experience), estimated: true };
    },
  };
}

const pastOf = ({ files, lines, sentBack, succeeded, candidates, failed, improved, ...task }: FinishedTask) => {
  const change = files === null || lines === null ? null : { files, lines };
  const evolution = candidates === 0 ? null : { candidates, failed, improved };
  const effort = effortOf({ change, sentBack, evolution, succeeded });
  return effort === null ? [] : [{ ...task, effort }];
};
