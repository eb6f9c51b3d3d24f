import { resolve } from 'node:path';
import type { Component } from '../../engine/component.ts';
import { sweepAttempts } from '../process/attempt.ts';
import { createSlots, type Slots } from '../resilience/slots.ts';
import { withResilience } from '../resilience/with-resilience.ts';
import { agentsAtOnce } from './agents-at-once.ts';
import { createCleanup } from './cleanup.ts';
import { createDiff } from './diff.ts';
import { repositoryOf, type CodeEnvironment } from './environment.ts';
import { createEvaluate } from './evaluate.ts';
import type { InRun } from './in-attempt.ts';
import { createInspect } from './inspect.ts';
import { createMerge } from './merge.ts';
import { createPrepare } from './prepare.ts';
import { createPublish } from './publish.ts';
import { createRebase } from './rebase.ts';
import { createUnpublish } from './unpublish.ts';
import { createValidate } from './validate.ts';
import { createWork } from './work.ts';

/** Milliseconds that git may take in one call. */
const GIT_MS = 900_000;
const CHECKS_AT_ONCE = 2;
const GIT_AT_ONCE = 8;

export type CodeComponentsOptions = CodeEnvironment & {
  /** Agents that run at once in this process; default: by their capacities. */
  readonly agentsAtOnce?: number;
};

/** All components that work on code with git, agents and the repositories' own commands, by the names `code.…`. */
export function createCodeComponents(options: CodeComponentsOptions): readonly Component[] {
  const environment: CodeEnvironment = { ...options, dataFolder: resolve(options.dataFolder) };
  const swept = sweep(environment);
  const agents = createSlots(options.agentsAtOnce ?? agentsAtOnce(options.configuration));
  const checks = createSlots(CHECKS_AT_ONCE);
  const git = createSlots(GIT_AT_ONCE);
  const commandsMs = (request: InRun): number =>
    2_000 * repositoryOf(environment, 'limits', request.repository).limits.timeoutSeconds;
  const agentMs = Math.max(0, ...environment.configuration.agents.map(({ limits }) => 1_000 * limits.timeoutSeconds));

  const guard = <Request extends InRun, Result>(
    component: Component<Request, Result>,
    slots: Slots,
    programsMs: (request: InRun) => number = () => 0,
  ): Component =>
    logged(
      withResilience(component, {
        slots,
        timeoutMs: (request) => GIT_MS + programsMs(request),
        target: ({ repository }) => repository,
      }),
      environment,
      swept,
    );

  return [
    guard(createPrepare(environment), git),
    guard(createWork(environment), agents, (request) => agentMs + commandsMs(request)),
    guard(createEvaluate(environment), checks, commandsMs),
    guard(createPublish(environment), git),
    guard(createUnpublish(environment), git),
    guard(createValidate(environment), checks, commandsMs),
    guard(createMerge(environment), git),
    guard(createRebase(environment), git),
    guard(createDiff(environment), git),
    guard(createInspect(environment), git),
    guard(createCleanup(environment), git),
  ];
}

/** Before the first call: ends what a killed Workledger left on this machine. */
async function sweep({ dataFolder, logger }: CodeEnvironment): Promise<void> {
  try {
    const attempts = await sweepAttempts(dataFolder);
    if (attempts > 0) logger.info({ attempts }, 'ended attempts that a killed process left behind');
  } catch (error) {
    logger.warn({ reason: String(error) }, 'could not end all attempts that a killed process left behind');
  }
}

const logged = <Request extends InRun, Result>(
  component: Component<Request, Result>,
  { logger }: CodeEnvironment,
  swept: Promise<void>,
): Component<Request, Result> => ({
  name: component.name,
  async perform(request, context) {
    const { taskId, repository } = request;
    const about = { component: component.name, effect: context.key, taskId, repository };
    logger.debug(about, 'component starts');
    try {
      await swept;
      const result = await component.perform(request, context);
      logger.debug(about, 'component is done');
      return result;
    } catch (error) {
      logger.warn({ ...about, reason: error instanceof Error ? error.message : String(error) }, 'component failed');
      throw error;
    }
  },
});
