import type { Component } from '../../engine/component.ts';
import { openMirror, type Mirror } from '../git/mirror.ts';
import { runRefs, taskRefs, type Run } from '../git/names.ts';
import { pushRef, RefMoved, remoteRefs } from '../git/push.ts';
import { endScope } from '../process/attempt.ts';
import { repositoryOf, type CodeEnvironment } from './environment.ts';
import { asComponentFailure } from './failures.ts';
import { scopeOf } from './in-attempt.ts';
import type { CleanupRequest, CleanupResult } from './requests.ts';
import { secretsOf } from './secrets.ts';

/** Kills what still runs for this task run, removes its worktrees and its results in the origin; branches and other runs' results stay. */
export const createCleanup = (environment: CodeEnvironment): Component<CleanupRequest, CleanupResult> => ({
  name: 'code.cleanup',
  perform: async (request, { signal }) => {
    const repository = repositoryOf(environment, 'cleanup', request.repository);
    try {
      const worktrees = await endScope(environment.dataFolder, scopeOf(request));
      const mirror = await openMirror(environment.dataFolder, repository.url);
      for (const { ref, commit } of await refsOf(mirror, request, signal)) await remove(mirror, ref, commit, signal);
      return { worktrees };
    } catch (error) {
      throw secretsOf(environment).failure(asComponentFailure('cleanup', error, signal));
    }
  },
});

const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The run's refs, and before them what a remote agent pushed beside them and this run inspected: the run's own refs
 * tell which, also to a repeat.
 */
async function refsOf(mirror: Mirror, run: Run, signal: AbortSignal): Promise<{ ref: string; commit: string }[]> {
  const task = `${taskRefs(run.taskId)}/`;
  const all = (await remoteRefs(mirror, `${task}*`, signal)).filter(({ ref }) => ref.startsWith(task));
  const own = all.filter(({ ref }) => ref.startsWith(`${runRefs(run)}/`));
  const commits = new Set(own.map(({ commit }) => commit));
  const ofARun = (ref: string): boolean => RUN_ID.test(ref.slice(task.length).split('/')[0] ?? '');
  return [...all.filter(({ ref, commit }) => !ofARun(ref) && commits.has(commit)), ...own];
}

async function remove(mirror: Mirror, ref: string, commit: string, signal: AbortSignal): Promise<void> {
  try {
    await pushRef(mirror, { ref, to: null, expected: { commit }, signal });
  } catch (error) {
    // Whoever moved it since needs it.
    if (!(error instanceof RefMoved)) throw error;
  }
}
