import { z } from 'zod';
import { isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { ComponentFailure, NotBegun, Postponed, type Component, type PerformContext } from '../engine/component.ts';
import { patientArtefacts, repositoryOf, type ComponentEnvironment } from './environment.ts';
import { asComponentFailure, failureOf, refuse } from './failures.ts';
import { createSlots, type Slots } from '@workledger/shared/outbound/slots.ts';
import { limited } from './limits.ts';
import { secretsOf, type Secrets } from './secrets.ts';

/**
 * What every request names: a run of a task, on a repository, and the revision of the configuration that the run goes by (left out: the
 * newest).
 */
export const inRun = z.object({
  ...{ taskId: z.string(), runId: z.string(), repository: z.string() },
  configuration: z.int().optional(),
});
export type InRun = z.infer<typeof inRun>;

/** What a component has in one call beside its request. */
export type Call = PerformContext & {
  /** What its failures call it: `work` of `code.work`. */
  readonly step: string;
  /** The artefact store in here is waited for while it is away. */
  readonly environment: ComponentEnvironment;
  /** Hides what no output may hold. */
  readonly secrets: Secrets;
};

/** Components with the same turns share them: so many calls run at once in one process. */
export type Turns = { atOnce(configuration: ComponentEnvironment['configuration']): number };

export type Limits = {
  readonly turns: Turns;
  /** For one call, without the wait for its turn. */
  seconds(request: InRun, environment: Pick<ComponentEnvironment, 'configuration'>): number;
};

/** A plain component: what it takes, what it answers, and how it does it. All the rest is done for it by `guardComponents`. */
export type ComponentDefinition<Request extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> = {
  readonly request: Request;
  readonly result: Result;
  readonly limits: Limits;
  /** Throws a ComponentFailure where it knows more than its error tells. */
  perform(request: z.infer<Request>, call: Call): Promise<z.infer<Result>>;
  /**
   * Where calls are performed by several runners: what it is about may lie with any of them, so each is asked. Makes one result of
   * theirs. Default: one runner is enough.
   */
  everywhere?(results: readonly z.infer<Result>[]): z.infer<Result>;
  /** Which of the configured models it asks: a runner asks no others, and these through whoever called it. Default: none. */
  models?(request: z.infer<Request>): readonly string[];
  /** US dollars that may be spent on models in each scope of the call; a runner has no say in it. Default: no limit. */
  budgetUsd?(request: z.infer<Request>): number | null;
};

/** Holds a component to the types of its own schemas. */
export const defineComponent = <Request extends z.ZodType<InRun>, Result extends z.ZodType>(
  definition: ComponentDefinition<Request, Result>,
): ComponentDefinition<Request, Result> => definition;

/** How a call is done: here (`performComponent`), or by somebody who is asked to. */
export type Perform = (
  name: string,
  definition: ComponentDefinition,
  request: InRun,
  context: PerformContext,
) => Promise<unknown>;

/** Plain components as the engine calls them, performed in this process: `guardComponents` around `performComponent`. */
export const runComponents = (
  definitions: Readonly<Record<string, ComponentDefinition>>,
  environment: ComponentEnvironment,
  before?: Promise<void>,
): readonly Component[] =>
  guardComponents(
    definitions,
    environment,
    (name, definition, request, context) => performComponent(name, definition, request, context, environment),
    before,
  );

/**
 * Plain components as the engine calls them: each call is checked against its schema, waits for its turn, ends within its time, and
 * is left out while its target keeps failing (a breaker for each repository; the work's own failures do not open it); begin, end and
 * failure are logged, with the correlation of the saga. A call goes through `told` (request, log) and `limited` (turn, time, breaker)
 * to `perform`.
 * @param before no call begins earlier
 */
export function guardComponents(
  definitions: Readonly<Record<string, ComponentDefinition>>,
  environment: Pick<ComponentEnvironment, 'configuration' | 'configurationAt' | 'logger' | 'drain' | 'breakers'>,
  perform: Perform,
  before: Promise<void> = Promise.resolve(),
): readonly Component[] {
  const slots = new Map<Turns, Slots>();
  const slotsOf = (turns: Turns): Slots => {
    const found = slots.get(turns) ?? createSlots(() => turns.atOnce(environment.configuration));
    slots.set(turns, found);
    return found;
  };
  /** By what each request in hand goes. */
  const begun = new WeakMap<InRun, ComponentEnvironment['configuration']>();
  const of = (request: InRun) => ({ configuration: begun.get(request) ?? environment.configuration });
  return Object.entries(definitions).map(([name, definition]) => {
    const { limits } = definition;
    const component = limited<InRun, unknown>(
      { name, perform: (request, context) => perform(name, definition, request, context) },
      {
        slots: slotsOf(limits.turns),
        enter: ({ taskId }, signal) => environment.drain?.enter({ component: name, taskId }, signal) ?? nothing,
        timeoutMs: (request) => 1_000 * limits.seconds(request, of(request)),
        target: ({ repository }) => repository,
        breakers: environment.breakers,
      },
    );
    return told(component, environment, async (request) => {
      await before;
      checkRequest(name, definition, request);
      begun.set(request, await configurationOf(environment, request));
      repositoryOf(of(request), stepOf(name), request.repository);
    });
  });
}

/** What a run goes by: what was configured when it began. */
export const configurationOf = async (
  { configuration, configurationAt }: Pick<ComponentEnvironment, 'configuration' | 'configurationAt'>,
  { configuration: revision }: InRun,
): Promise<ComponentEnvironment['configuration']> =>
  revision === undefined || configurationAt === undefined ? configuration : configurationAt(revision);

const nothing = Promise.resolve(() => undefined);

/** What the failures of a component call it: `work` of `code.work`. */
export const stepOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** @throws ComponentFailure when it is not what the component takes */
function checkRequest(name: string, { request: schema }: ComponentDefinition, request: unknown): void {
  const { error } = schema.safeParse(request);
  if (error !== undefined) refuse(stepOf(name), `its request is not what it takes: ${z.prettifyError(error)}`);
}

/** @throws ComponentFailure when it is not what the component promises */
export function checkResult(name: string, { result: schema }: ComponentDefinition, result: unknown): void {
  const { error } = schema.safeParse(result);
  if (error === undefined) return;
  const reason = `its result is not what it promises: ${z.prettifyError(error)}`;
  throw new ComponentFailure(failureOf(stepOf(name), reason), { retryable: false });
}

/**
 * Does one call in this process: request and result are checked, and every error leaves as a ComponentFailure without the secrets
 * that this process knows. Turns, time and breaker are the caller's.
 */
export async function performComponent(
  name: string,
  definition: ComponentDefinition,
  request: InRun,
  context: PerformContext,
  given: ComponentEnvironment,
): Promise<unknown> {
  const step = stepOf(name);
  const environment = { ...given, configuration: await configurationOf(given, request) };
  const artefacts = patientArtefacts(environment, context.signal);
  const secrets = secretsOf(environment);
  try {
    checkRequest(name, definition, request);
    const result = await definition.perform(request, {
      ...context,
      ...{ step, environment: { ...environment, artefacts }, secrets },
    });
    checkResult(name, definition, result);
    return result;
  } catch (error) {
    // What it waits for is no failure; its reason is the component's own words.
    if (error instanceof Postponed) throw error;
    throw secrets.failure(asComponentFailure(step, error, context.signal));
  }
}

/** Logs what a component does. That the server of one is away is told by the process, once. */
export function told(
  { name, perform }: Component<InRun>,
  { logger }: Pick<ComponentEnvironment, 'logger'>,
  begin: (request: InRun) => Promise<void>,
): Component<InRun> {
  return {
    name,
    async perform(request, context) {
      const { taskId, repository } = request;
      const about = { component: name, effect: context.key, taskId, repository };
      const startedAt = performance.now();
      const durationMs = (): number => Math.round(performance.now() - startedAt);
      logger.debug(about, 'component starts');
      try {
        await begin(request);
        const result = await perform(request, context);
        logger.debug({ ...about, durationMs: durationMs() }, 'component is done');
        return result;
      } catch (error) {
        const isQuiet =
          error instanceof NotBegun ||
          error instanceof Postponed ||
          (!(error instanceof ComponentFailure) && isAway(error));
        const level = isQuiet ? 'debug' : 'warn';
        const reason = error instanceof Error ? error.message : String(error);
        logger[level]({ ...about, durationMs: durationMs(), reason }, 'component failed');
        throw error;
      }
    },
  };
}
