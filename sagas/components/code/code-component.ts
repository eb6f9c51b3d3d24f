import type { z } from 'zod';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { repositoryOf, type ComponentEnvironment } from '../environment.ts';
import type { OriginLogin } from '../git/at-origin.ts';
import { checkoutAt, createCheckout, type Checkout } from '../git/checkout.ts';
import { openMirror, type Mirror } from '../git/mirror.ts';
import { AttemptEnded, openAttempt, type Attempt } from '../process/attempt.ts';
import type { TakeNote } from '../../engine/notes.ts';
import type { Secrets } from '../secrets.ts';
import { defineComponent, type Call, type ComponentDefinition, type InRun, type Limits } from '../run-component.ts';

/** Seconds that git may take in one call. */
const GIT_SECONDS = 900;

/** Seconds for so many commands of the repository's registration, and for git around them. */
export const secondsFor = (
  commands: number,
  { repository }: InRun,
  environment: Pick<ComponentEnvironment, 'configuration'>,
): number => GIT_SECONDS + commands * repositoryOf(environment, 'limits', repository).limits.timeoutSeconds;

/** Of components that call git only. */
export const gitLimits: Limits = { turns: { atOnce: () => 8 }, seconds: () => GIT_SECONDS };
/** Of components that run the repository's own commands: `setup`, on the base and here, one more, and what is named beside it. */
export const checkLimits: Limits = {
  turns: { atOnce: () => 2 },
  seconds: (request, environment) =>
    secondsFor(3, request, environment) + secondsOfChecks(repositoryOf(environment, 'limits', request.repository)),
};

/** Seconds for the named checks, one after the other, where they compare on the base, too. */
export const secondsOfChecks = ({ checks, setup, limits }: Repository): number =>
  checks.reduce((sum, { policy, timeoutSeconds }) => {
    const seconds = timeoutSeconds ?? limits.timeoutSeconds;
    const isCompared = typeof policy === 'object' && policy.onlyNew;
    return sum + seconds + (isCompared ? seconds + (setup === null ? 0 : limits.timeoutSeconds) : 0);
  }, 0);

/** Measurements that wait before one: each may take as long as the command may. */
const BEFORE = 8;
/** Of components that measure: one at a time, in this process and (`aloneOnMachine`) on this machine. */
const measuring: Limits['turns'] = { atOnce: () => 1 };
export const measureLimits: Limits = {
  turns: measuring,
  seconds: (request, environment) => secondsFor(2 + BEFORE, request, environment),
};
/** For `setup` in two folders, and `evaluate` in each as often as this. */
export const compareLimits = (rounds: number): Limits => ({
  turns: measuring,
  seconds: (request, environment) => secondsFor(2 + 2 * rounds + BEFORE, request, environment),
});

/** What one component call on one repository works with. */
export type CodeAttempt = {
  /** Of this call: stable over restarts. */
  readonly key: string;
  readonly environment: ComponentEnvironment;
  readonly repository: Repository;
  readonly mirror: Mirror;
  readonly attempt: Attempt;
  readonly signal: AbortSignal;
  /** Hides what nothing that is kept may hold. */
  readonly secrets: Secrets;
  /** Takes notes of how far the work is; undefined: nobody listens. */
  readonly note: TakeNote | undefined;
  /** A repository of its own that stands at the commit; it goes with the attempt. */
  checkout(name: string, commit: string): Promise<Checkout>;
  /** Does something at the same time, with processes and checkouts of its own; its name is part of the call's key. */
  beside<Result>(name: string, action: (attempt: CodeAttempt) => Promise<Result>): Promise<Result>;
};

type CodeComponent<Request extends z.ZodType<InRun>, Result extends z.ZodType> = Pick<
  ComponentDefinition<Request, Result>,
  'request' | 'result' | 'models' | 'budgetUsd'
> & {
  /** Default: those of git alone. */
  readonly limits?: Limits;
  act(request: z.infer<Request>, code: CodeAttempt): Promise<z.infer<Result>>;
};

/** A component that works on one repository: what it does, it does in an attempt of its own. */
export const codeComponent = <Request extends z.ZodType<InRun>, Result extends z.ZodType>({
  request,
  result,
  limits = gitLimits,
  models,
  budgetUsd,
  act,
}: CodeComponent<Request, Result>): ComponentDefinition<Request, Result> =>
  defineComponent({
    ...{ request, result, limits, ...(models && { models }), ...(budgetUsd && { budgetUsd }) },
    perform: (asked, call) => inAttempt(asked, call, (code) => act(asked, code)),
  });

/**
 * The mirror of a registered repository: git is let in at its origin by what gives it a token, where something does.
 * @throws GitFailure when the origin must be asked, and does not answer
 */
export function mirrorOf(
  { dataFolder, github, gitLogins = github }: Pick<ComponentEnvironment, 'dataFolder' | 'github' | 'gitLogins'>,
  repository: Repository,
  signal: AbortSignal,
): Promise<Mirror> {
  const login: OriginLogin | null = gitLogins
    ? (refused, until) => gitLogins.gitToken(repository, refused, until ?? new AbortController().signal)
    : null;
  return openMirror(dataFolder, repository.url, signal, login);
}

/** Within this time a worker notices that its job is another one's, also on a machine with too much to do. */
const LOST_WITHIN_MILLISECONDS = 20_000;

/** What belongs to one run of one task on this machine. */
export const scopeOf = ({ taskId, runId }: InRun): string => `${taskId}/${runId}`;

/** Does an action under the call's key: what an earlier try left is ended first, what this one made goes at its end. */
async function inAttempt<Result>(
  request: InRun,
  call: Call,
  action: (attempt: CodeAttempt) => Promise<Result>,
): Promise<Result> {
  const { key, signal, step, environment, secrets, note } = call;
  const { dataFolder } = environment;
  const repository = repositoryOf(environment, step, request.repository);
  const opened = await openAttempt({ dataFolder, key, scope: scopeOf(request) });
  const attempt: Attempt = { ...opened, run: async (process) => secrets.result(await opened.run(process)) };
  try {
    const mirror = await mirrorOf(environment, repository, signal);
    const checkout = async (name: string, commit: string): Promise<Checkout> => {
      const made = checkoutAt(dataFolder, mirror, `${attempt.id}-${name}`);
      attempt.own(made.folder);
      await createCheckout(made, { commit, branch: repository.baseBranch, signal });
      return made;
    };
    const beside: CodeAttempt['beside'] = async (name, act) => {
      // Its successor's are under the same keys: they are not ended by one that has lost.
      if (attempt.isEnded()) throw new AttemptEnded('ended by a successor or a clean-up');
      return inAttempt(request, { ...call, key: `${key}/${name}` }, act);
    };
    return await action({ key, environment, repository, mirror, attempt, signal, secrets, note, checkout, beside });
  } catch (error) {
    if (!attempt.isEnded()) throw error;
    // Who took it over removed its folders. Whoever asked for this call learns soon that it was lost, and takes no result of it.
    await pause(LOST_WITHIN_MILLISECONDS, signal).catch(() => undefined);
    throw new AttemptEnded('ended by a successor or a clean-up', { cause: error });
  } finally {
    // What stands, stands: what cannot be removed now is told, and tried again at the next start.
    await attempt.close().catch((error: unknown) => {
      environment.logger.warn({ reason: oneLine(error) }, 'cannot remove all that an attempt left');
    });
  }
}
