import { resolve } from 'node:path';
import type { z } from 'zod';
import { ConfigurationError } from '@workledger/shared/config/faults.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { NOTHING_SET, type Live } from '@workledger/shared/config/live.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { ComponentFailure, type Component, type PerformContext } from '../engine/component.ts';
import { askRunners, type RunnersOptions } from '../runner/ask-runners.ts';
import type { CallFrame } from '../runner/frames.ts';
import { adopt } from './code/adopt.ts';
import { diff, inspect, lookup } from './code/change.ts';
import { compare } from './code/compare.ts';
import { evaluate, validate } from './code/validate.ts';
import { landed, merge, rebase } from './code/merge.ts';
import { cleanup, prepare } from './code/prepare.ts';
import { publish, unpublish } from './code/publish.ts';
import { forget, results } from './code/retention.ts';
import { review } from './code/review.ts';
import { work } from './code/work.ts';
import type { ComponentEnvironment } from './environment.ts';
import { environment as evolutionEnvironment, openevolve } from './evolution/openevolve.ts';
import { failureOf } from './failures.ts';
import { check } from './github/check.ts';
import { findings } from './github/findings.ts';
import { commentOn, labels } from './github/issue.ts';
import { look } from './github/look.ts';
import { createInstalled, type installed } from './github/look-installed.ts';
import { deleteBranch, merge as mergePull } from './github/merge.ts';
import { close, pullRequest, pullState } from './github/pull-requests.ts';
import { checks, reviews } from './github/verdicts.ts';
import { publishReview, reviewTarget } from './github/pull-review.ts';
import { tell as tellGithub } from './github/tell.ts';
import { look as lookLinear } from './linear/look.ts';
import { tell as tellLinear } from './linear/tell.ts';
import { tell as tellSlack } from './slack/tell.ts';
import { removeOldMirrors } from './git/mirror.ts';
import { sweepAttempts } from './process/attempt.ts';
import { begin, stop, wait } from './codegen/run.ts';
import { chat } from './generation/chat.ts';
import { choose, learn } from './generation/choose.ts';
import {
  guardComponents,
  performComponent,
  runComponents,
  stepOf,
  told,
  type ComponentDefinition,
  type InRun,
} from './run-component.ts';

/** Components that work on code: where there are runners, these perform them. */
const inRunners = {
  'code.prepare': prepare,
  'code.work': work,
  'code.evaluate': evaluate,
  'code.compare': compare,
  'code.publish': publish,
  'code.unpublish': unpublish,
  'code.validate': validate,
  'code.merge': merge,
  'code.landed': landed,
  'code.rebase': rebase,
  'code.diff': diff,
  'code.inspect': inspect,
  'code.lookup': lookup,
  'code.results': results,
  'code.forget': forget,
  'evolution.environment': evolutionEnvironment,
  'evolution.openevolve': openevolve,
  'code.review': review,
  'generation.chat': chat,
  'code.adopt': adopt,
  'code.cleanup': cleanup,
} as const satisfies Readonly<Record<string, ComponentDefinition>>;

/** Components that speak to other systems with a login of ours: always performed where sagas are, away from what strangers wrote. */
const here = {
  'github.pull-request': pullRequest,
  'github.pull-state': pullState,
  'github.close': close,
  'github.merge': mergePull,
  'github.delete-branch': deleteBranch,
  'github.comment': commentOn,
  'github.labels': labels,
  'github.check': check,
  'github.checks': checks,
  'github.reviews': reviews,
  'github.look': look,
  'github.tell': tellGithub,
  'linear.look': lookLinear,
  'linear.tell': tellLinear,
  'slack.tell': tellSlack,
  'github.findings': findings,
  'github.review-target': reviewTarget,
  'github.review': publishReview,
  'generation.choose': choose,
  'generation.learn': learn,
  'codegen.begin': begin,
  'codegen.wait': wait,
  'codegen.stop': stop,
} as const satisfies Readonly<Record<string, ComponentDefinition>>;

/** Those that are about no task: neither a repository nor a run is theirs. */
type Besides = { readonly 'github.installed': typeof installed };

/** Every component that sagas call by name, which gives the type of its request and result. A new one is added above, and nowhere else. Steps of workflows, and plugins, bring more at the start. */
type Components = typeof inRunners & typeof here & Besides;

export type ComponentName = keyof Components;
export type RequestOf<Name extends ComponentName> = z.infer<Components[Name]['request']>;
export type ResultOf<Name extends ComponentName> = z.infer<Components[Name]['result']>;

/** One of all components, for who asks outside of any saga. */
export function componentNamed<Name extends ComponentName>(
  components: readonly Component[],
  name: Name,
): Component<RequestOf<Name>, ResultOf<Name>> {
  return components.find((one) => one.name === name) as unknown as Component<RequestOf<Name>, ResultOf<Name>>;
}

/** All components, as the engine calls them. */
export function createComponents(options: ComponentEnvironment): readonly Component[] {
  const environment = { ...options, dataFolder: resolve(options.dataFolder) };
  return [...runComponents({ ...inRunners, ...here }, environment, sweep(environment)), createInstalled(environment)];
}

/** All components, as the engine calls them; those that work on code are performed by runners. */
export const createRemoteComponents = (options: RunnersOptions & ComponentEnvironment): readonly Component[] => [
  ...guardComponents(inRunners, options, askRunners(options)),
  ...runComponents(here, options),
  createInstalled(options),
];

/** A runner ends by itself what its caller must have given up: seconds later than the caller does. */
const LATER_SECONDS = 60;

/** One call of a component, as a runner performs it for who guards it: by name, with what came with the call. @throws ComponentFailure */
export type Performer = (
  name: string,
  request: InRun,
  context: PerformContext,
  own: Pick<ComponentEnvironment, 'artefacts' | 'readTask' | 'models' | 'embeddings' | 'gitLogins'> & {
    /** What is set over the runner's own file. */
    readonly set?: CallFrame['set'];
  },
) => Promise<unknown>;

/** @param live the runner's own file, over which lies what a call says */
export function createPerformer(
  options: Omit<ComponentEnvironment, 'artefacts' | 'readTask' | 'models' | 'embeddings'>,
  live?: Pick<Live, 'with'>,
): Performer {
  const always = { ...options, dataFolder: resolve(options.dataFolder) };
  const swept = sweep(always);
  return async (name, request, context, { set, ...own }) => {
    const step = stepOf(name);
    const common = { ...always, ...(live && { configuration: laidOver(live, set, step) }) };
    if (!Object.hasOwn(inRunners, name)) {
      const failure = failureOf(step, `this runner knows no component "${name}": bring it to the version of sagas`);
      throw new ComponentFailure(failure, { retryable: true, fault: 'work' });
    }
    const definition: ComponentDefinition = inRunners[name as keyof typeof inRunners];
    const perform: Component<InRun>['perform'] = async (asked, { key, signal, note }) => {
      const seconds = definition.limits.seconds(asked, common) + LATER_SECONDS;
      const limited = AbortSignal.any([signal, timeoutSignal(1_000 * seconds)]);
      return performComponent(name, definition, asked, { key, signal: limited, note }, { ...common, ...own });
    };
    return told({ name, perform }, common, () => swept).perform(request, context);
  };
}

/** What a run goes by here: the runner's own file, and what was set over it. @throws ComponentFailure */
function laidOver(live: Pick<Live, 'with'>, set: CallFrame['set'], step: string): Configuration {
  try {
    return live.with(set ?? NOTHING_SET, 'runner');
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const reason = `what the API has set does not fit this runner's configuration: ${error.faults[0] ?? ''}`;
    throw new ComponentFailure(failureOf(step, reason), { retryable: true, cause: error });
  }
}

/** Before the first call: ends what a killed Workledger left on this machine. */
async function sweep({ dataFolder, logger }: Pick<ComponentEnvironment, 'dataFolder' | 'logger'>): Promise<void> {
  try {
    const attempts = await sweepAttempts(dataFolder);
    await removeOldMirrors(dataFolder);
    if (attempts > 0) logger.info({ attempts }, 'ended attempts that a killed process left behind');
  } catch (error) {
    logger.warn({ reason: String(error) }, 'could not end all attempts that a killed process left behind');
  }
}
