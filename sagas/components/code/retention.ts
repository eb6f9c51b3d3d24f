import { streamName } from '@workledger/shared/contexts/stream.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { ComponentEnvironment } from '../environment.ts';
import { openMirror } from '../git/mirror.ts';
import { RESULTS } from '../git/names.ts';
import { deleteRefs, remoteRefs } from '../git/push.ts';

const DAY_MILLISECONDS = 86_400_000;
/** A process that was started a moment ago has better to do. */
const FIRST_MILLISECONDS = 600_000;
/** Of one repository in one pass; the next one goes on. */
const MOST_TASKS = 2_000;
const MOST_REFS = 5_000;

export type RetentionOptions = Pick<ComponentEnvironment, 'dataFolder' | 'logger'> & {
  readonly repositories: readonly { readonly name: string; readonly url: string }[];
  /** Results of tasks that have ended so long ago are forgotten. */
  readonly resultDays: number;
  /** When a task ended; null: it did not, or nobody knows it. */
  readonly endedAt: (taskId: string) => Promise<Date | null>;
  readonly signal: AbortSignal;
};

/** Once a day until the signal aborts: forgets old results in every repository. What fails is told and tried the next day. */
export async function runRetention(options: RetentionOptions): Promise<void> {
  const { repositories, logger, signal } = options;
  for (await pause(FIRST_MILLISECONDS, signal); !signal.aborted; await pause(DAY_MILLISECONDS, signal))
    for (const { name, url } of repositories)
      try {
        const { refs } = await forgetResults(url, options);
        if (refs > 0) logger.info({ repository: name, refs }, 'old results have left the origin');
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ repository: name, reason: oneLine(error) }, 'old results cannot be looked at');
      }
}

/**
 * Deletes the refs of tasks that ended long enough ago from one origin, and of these only what is below `refs/workledger/<task>/`.
 * @param mostTasks that are looked at: others in the next pass @returns how many tasks were looked at, and refs deleted
 * @throws GitFailure, or what `endedAt` throws
 */
export async function forgetResults(
  url: string,
  { dataFolder, resultDays, endedAt, signal }: Omit<RetentionOptions, 'repositories' | 'logger'>,
  mostTasks = MOST_TASKS,
): Promise<{ readonly tasks: number; readonly refs: number }> {
  const mirror = await openMirror(dataFolder, url, signal);
  const byTask = new Map<string, { ref: string; commit: string }[]>();
  for (const { ref, commit } of await remoteRefs(mirror, `${RESULTS}*`, signal)) {
    const taskId = ref.startsWith(RESULTS) ? (ref.slice(RESULTS.length).split('/')[0] ?? '') : '';
    if (uuid.safeParse(taskId).success) byTask.set(taskId, [...(byTask.get(taskId) ?? []), { ref, commit }]);
  }
  // From anywhere: tasks that stay for ever do not stand before the others in every pass.
  const tasks = [...byTask.keys()];
  const start = Math.floor(Math.random() * tasks.length);
  const looked = [...tasks.slice(start), ...tasks.slice(0, start)].slice(0, mostTasks);
  const before = Date.now() - resultDays * DAY_MILLISECONDS;
  const old: { ref: string; commit: string }[] = [];
  for (const taskId of looked) {
    signal.throwIfAborted();
    const ended = await endedAt(taskId);
    if (ended !== null && ended.getTime() < before && old.length < MOST_REFS) old.push(...(byTask.get(taskId) ?? []));
  }
  return { tasks: looked.length, refs: await deleteRefs(mirror, old, signal) };
}

const ENDS: ReadonlySet<string> = new Set(['TaskCompleted', 'TaskFailed', 'TaskCancelled']);
/** What is changed about a task that has ended does not begin it again. */
const NO_BEGINNING: ReadonlySet<string> = new Set(['TaskDetailsChanged', 'TaskExpansionGivenUp']);

/** When a task ended for good until now, as the log knows it; null: it has not, or it is not there. */
export const taskEnd =
  (log: Pick<EventLog, 'readStream'>) =>
  async (taskId: string): Promise<Date | null> => {
    for await (const { type, recordedAt } of log.readStream(streamName('task', taskId), { direction: 'backward' }))
      if (!NO_BEGINNING.has(type)) return ENDS.has(type) ? recordedAt : null;
    return null;
  };
