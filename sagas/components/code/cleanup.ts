import type { Component } from '../component.ts';
import { openMirror } from '../git/mirror.ts';
import { taskRefs } from '../git/names.ts';
import { pushRef, remoteRefs } from '../git/push.ts';
import { endScope } from '../process/attempt.ts';
import { repositoryOf, type CodeEnvironment } from './environment.ts';
import { asComponentFailure } from './failures.ts';
import { scopeOf } from './in-attempt.ts';
import type { CleanupRequest, CleanupResult } from './requests.ts';

/** Kills what still runs for this task run, removes its worktrees and its results in the origin; branches stay. */
export const createCleanup = (environment: CodeEnvironment): Component<CleanupRequest, CleanupResult> => ({
  name: 'code.cleanup',
  perform: async (request, { signal }) => {
    const repository = repositoryOf(environment, 'cleanup', request.repository);
    try {
      const worktrees = await endScope(environment.dataFolder, scopeOf(request));
      const mirror = await openMirror(environment.dataFolder, repository.url);
      for (const { ref } of await remoteRefs(mirror, `${taskRefs(request.taskId)}/*`, signal))
        await pushRef(mirror, { ref, to: null, expected: 'any', signal });
      return { worktrees };
    } catch (error) {
      throw asComponentFailure('cleanup', error, signal);
    }
  },
});
