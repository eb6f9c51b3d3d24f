import { z } from 'zod';
import { ComponentFailure, type Component, type PerformContext } from '../engine/component.ts';
import { patientArtefacts, type ComponentEnvironment } from './environment.ts';
import { asComponentFailure, failureOf, refuse } from './failures.ts';
import { createSlots, limited, type Slots } from './limits.ts';
import { secretsOf, type Secrets } from './secrets.ts';

/** What every request names: a run of a task, on a repository. */
export const inRun = z.object({ taskId: z.string(), runId: z.string(), repository: z.string() });
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
  seconds(request: InRun, environment: ComponentEnvironment): number;
};

/** A plain component: what it takes, what it answers, and how it does it. All the rest is done for it by `runComponents`. */
export type ComponentDefinition<Request extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> = {
  readonly request: Request;
  readonly result: Result;
  readonly limits: Limits;
  /** Throws a ComponentFailure where it knows more than its error tells. */
  perform(request: z.infer<Request>, call: Call): Promise<z.infer<Result>>;
};

/** Holds a component to the types of its own schemas. */
export const defineComponent = <Request extends z.ZodType<InRun>, Result extends z.ZodType>(
  definition: ComponentDefinition<Request, Result>,
): ComponentDefinition<Request, Result> => definition;

/**
 * Plain components as the engine calls them: each call is checked against its schemas, waits for its turn, ends within its time, and
 * is left out while its target keeps failing (a breaker for each repository; the work's own failures do not open it). Every error
 * leaves as a ComponentFailure without secrets; begin, end and failure are logged, with the correlation of the saga. A call goes through
 * `told` (request, log), `limited` (turn, time, breaker) and `performPlain` (result) to the component's own `perform`.
 * @param before no call begins earlier
 */
export function runComponents(
  definitions: Readonly<Record<string, ComponentDefinition>>,
  environment: ComponentEnvironment,
  before: Promise<void> = Promise.resolve(),
): readonly Component[] {
  const slots = new Map<Turns, Slots>();
  const slotsOf = (turns: Turns): Slots => {
    const found = slots.get(turns) ?? createSlots(turns.atOnce(environment.configuration));
    slots.set(turns, found);
    return found;
  };
  return Object.entries(definitions).map(([name, definition]) => {
    const step = name.slice(name.lastIndexOf('.') + 1);
    const { limits } = definition;
    const component = limited<InRun, unknown>(
      { name, perform: (request, context) => performPlain(definition, step, request, context, environment) },
      {
        slots: slotsOf(limits.turns),
        timeoutMs: (request) => 1_000 * limits.seconds(request, environment),
        target: ({ repository }) => repository,
      },
    );
    return told(component, environment, async (request) => {
      await before;
      const { error } = definition.request.safeParse(request);
      if (error !== undefined) refuse(step, `its request is not what it takes: ${z.prettifyError(error)}`);
    });
  });
}

async function performPlain(
  definition: ComponentDefinition,
  step: string,
  request: InRun,
  context: PerformContext,
  environment: ComponentEnvironment,
): Promise<unknown> {
  const { signal } = context;
  const artefacts = patientArtefacts(environment, signal);
  const call: Call = { ...context, step, environment: { ...environment, artefacts }, secrets: secretsOf(environment) };
  try {
    const result = await definition.perform(request, call);
    const { error } = definition.result.safeParse(result);
    if (error === undefined) return result;
    const reason = `its result is not what it promises: ${z.prettifyError(error)}`;
    throw new ComponentFailure(failureOf(step, reason), { retryable: false });
  } catch (error) {
    throw asComponentFailure(step, error, signal);
  }
}

/** Logs what a component does, without secrets. */
function told(
  { name, perform }: Component<InRun>,
  environment: ComponentEnvironment,
  begin: (request: InRun) => Promise<void>,
): Component<InRun> {
  const { logger } = environment;
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
      } catch (thrown) {
        const error = thrown instanceof ComponentFailure ? secretsOf(environment).failure(thrown) : thrown;
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn({ ...about, durationMs: durationMs(), reason }, 'component failed');
        throw error;
      }
    },
  };
}
