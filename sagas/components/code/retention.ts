import { z } from 'zod';
import type { Logger } from 'pino';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { uuid } from '@workledger/shared/contexts/values.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { Component } from '../../engine/component.ts';
import { repositoryOf } from '../environment.ts';
import { RESULTS } from '../git/names.ts';
import { deleteRefs, remoteRefs } from '../git/push.ts';
import { defineComponent, inRun, type InRun } from '../run-component.ts';
import { gitLimits, mirrorOf } from './code-component.ts';

const DAY_MILLISECONDS = 86_400_000;
/** A process that was started a moment ago has better to do. */
const FIRST_MILLISECONDS = 600_000;
/** Of one repository in one pass; the next one goes on. */
const MOST_TASKS = 2_000;
const MOST_REFS = 5_000;
/** Origins take many refs a few at a time. */
const limits = { ...gitLimits, seconds: () => 600 };

/** Tasks that have results in the origin, some of them where there are many: others the next time. */
export const results = defineComponent({
  request: inRun,
  result: z.object({ tasks: z.array(uuid) }),
  limits,
  perform: async ({ repository }, { environment, step, signal }) => {
    const mirror = await mirrorOf(environment, repositoryOf(environment, step, repository), signal);
    const refs = await remoteRefs(mirror, `${RESULTS}*`, signal);
    const tasks = [...new Set(refs.map(({ ref }) => taskOf(ref)))].filter((id) => uuid.safeParse(id).success);
    // From anywhere: tasks that stay for ever do not stand before the others in every pass.
    const start = Math.floor(Math.random() * tasks.length);
    return { tasks: [...tasks.slice(start), ...tasks.slice(0, start)].slice(0, MOST_TASKS) };
  },
});

/** Deletes the refs of these tasks from the origin, and of them only what is below `refs/workledger/<task>/`. */
export const forget = defineComponent({
  request: inRun.extend({ tasks: z.array(uuid).max(MOST_TASKS) }),
  result: z.object({ refs: z.int() }),
  limits,
  perform: async ({ repository, tasks }, { environment, step, signal }) => {
    const mirror = await mirrorOf(environment, repositoryOf(environment, step, repository), signal);
    const old = new Set(tasks);
    const refs = (await remoteRefs(mirror, `${RESULTS}*`, signal)).filter(({ ref }) => old.has(taskOf(ref)));
    return { refs: await deleteRefs(mirror, refs.slice(0, MOST_REFS), signal) };
  },
});

const taskOf = (ref: string): string =>
  ref.startsWith(RESULTS) ? (ref.slice(RESULTS.length).split('/')[0] ?? '') : '';

export type RetentionOptions = {
  readonly results: Component<InRun, { readonly tasks: readonly string[] }>;
  readonly forget: Component<InRun & { readonly tasks: readonly string[] }, { readonly refs: number }>;
  readonly repositories: readonly { readonly name: string }[];
  /** Results of tasks that have ended so long ago are forgotten. */
  readonly resultDays: number;
  /** When a task ended; null: it did not, or nobody knows it. */
  readonly endedAt: (taskId: string) => Promise<Date | null>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly signal: AbortSignal;
};

/** Once a day until the signal aborts: forgets old results in every repository. What fails is told and tried the next day. */
export async function runRetention(options: RetentionOptions): Promise<void> {
  const { logger, signal } = options;
  for (await pause(FIRST_MILLISECONDS, signal); !signal.aborted; await pause(DAY_MILLISECONDS, signal))
    for (const { name } of options.repositories)
      try {
        const { refs } = await forgetResults(name, options);
        if (refs > 0) logger.info({ repository: name, refs }, 'old results have left the origin');
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ repository: name, reason: oneLine(error) }, 'old results cannot be looked at');
      }
}

/**
 * Has the results of tasks that ended long enough ago removed from one origin, by whoever performs components: this process, or runners.
 * @returns how many tasks were looked at, and refs deleted @throws ComponentFailure, or what `endedAt` throws
 */
export async function forgetResults(
  repository: string,
  { results, forget, resultDays, endedAt, signal }: Omit<RetentionOptions, 'repositories' | 'logger'>,
): Promise<{ readonly tasks: number; readonly refs: number }> {
  // An id of its own: one pass never ends another.
  const pass = newId();
  const run = { taskId: pass, runId: pass, repository };
  const { tasks } = await results.perform(run, { key: `results/${pass}`, signal });
  const before = Date.now() - resultDays * DAY_MILLISECONDS;
  const old: string[] = [];
  for (const taskId of tasks) {
    signal.throwIfAborted();
    const ended = await endedAt(taskId);
    if (ended !== null && ended.getTime() < before) old.push(taskId);
  }
  if (old.length === 0) return { tasks: tasks.length, refs: 0 };
  const { refs } = await forget.perform({ ...run, tasks: old }, { key: `forget/${pass}`, signal });
  return { tasks: tasks.length, refs };
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
