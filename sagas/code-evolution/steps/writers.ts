import type { CommandInput } from '@workledger/shared/commands/catalogue.ts';
import { writerOf } from '@workledger/shared/contexts/evolution/generation/strategies.ts';
import type { RequestOf, ResultOf } from '../../components/catalogue.ts';
import type { Effector, Lessons, Settled } from '../../pipeline/definition.ts';
import { failureIn, type Facts, isOfWork, type Try } from '../facts.ts';
import { agentSeconds, claimOf, inRun, isPassing, planOf, requestOf } from './run.ts';

/** Attempts of an agent that writes alone. */
const ATTEMPTS = 2;
const CHOOSE_SECONDS = 120;
const CHAT_SECONDS = 4_800;
const BEGIN_SECONDS = 1_200;
const STOP_SECONDS = 600;
/** Above a run's own limit: looks and waits of its call. */
const WAIT_SECONDS = 3_600;

const isOthers = (strategy: string): boolean => writerOf(strategy).kind !== 'agent';

/**
 * Who writes in this round, an entry an attempt; null while it is found out. Where the registration names nobody beside the agent, or
 * that cannot be found out, it is the agent.
 */
export function writersOf(facts: Facts, on: Effector): readonly string[] | null {
  const { agentId } = claimOf(facts);
  const alone = Array<string>(ATTEMPTS).fill(agentId);
  if (planOf(facts).writers === undefined) return alone;
  if (facts.strategies?.round !== on.round && on.attempt === 1) {
    // An agent goes on with what it is told; a model or Codegen had its turn.
    const refused = facts.tries.map(({ strategy }) => strategy).filter(isOthers);
    const request = { ...inRun(facts), agentId, refused: [...new Set(refused)] };
    if (on.tryCall('choose', 'generation.choose', request, CHOOSE_SECONDS) === null) return null;
  }
  if (facts.strategies?.round !== on.round) return alone;
  const { order } = facts.strategies;
  return order.length === 1 && order[0] === agentId ? alone : order;
}

type Work = Settled<ResultOf<'code.work'>>;

/** One attempt of whoever is asked; null while it is under way. */
export function write(
  facts: Facts,
  on: Effector,
  { strategy, attempt }: { readonly strategy: string; readonly attempt: number },
  asked: RequestOf<'code.work'>,
): Work | null {
  const writer = writerOf(strategy);
  if (writer.kind === 'agent') return on.tryCall('work', 'code.work', asked, agentSeconds(planOf(facts)));
  const { parent, prompt } = asked;
  // What is paid once is found again under its name, also where this step is tried again because the origin was away.
  const label = `write-${on.round}-${attempt}`;
  const request = { ...inRun(facts), parent, label, prompt };
  if (writer.kind === 'codegen') return byCodegen(facts, on, request);
  return on.tryCall('work', 'generation.chat', { ...request, model: writer.model }, CHAT_SECONDS);
}

/** Begun, waited for, taken; then stopped, whatever came of it: nothing of Codegen's goes on beside our own. */
function byCodegen(facts: Facts, on: Effector, request: RequestOf<'codegen.begin'>): Work | null {
  const begun = on.tryCall('begin', 'codegen.begin', request, BEGIN_SECONDS);
  if (begun === null) return null;
  const taken = begun.failure === undefined ? takenFrom(facts, on, request, begun.result) : begun;
  if (taken === null || (taken.failure !== undefined && isPassing(taken))) return taken;
  const stopped = stopCodegen(facts, on, { label: request.label, run: begun.result?.run ?? null });
  return stopped ? taken : null;
}

function takenFrom(
  facts: Facts,
  on: Effector,
  { parent, label }: RequestOf<'codegen.begin'>,
  { run, begunAt, timeoutSeconds, priceUsd, prompt }: ResultOf<'codegen.begin'>,
): Work | null {
  const waiting = { ...inRun(facts), run, begunAt, timeoutSeconds, priceUsd };
  const over = on.tryCall('wait', 'codegen.wait', waiting, timeoutSeconds + WAIT_SECONDS);
  if (over === null || over.failure !== undefined) return over;
  const { branch, output } = over.result;
  const durationMs = Math.max(0, on.now.getTime() - Date.parse(begunAt));
  const request = { ...inRun(facts), parent, label, branch, output, prompt, costUsd: priceUsd, durationMs };
  return on.tryCall('work', 'code.adopt', request, agentSeconds(planOf(facts)));
}

/** Ends what Codegen does for this run; what does not let itself be ended ends by itself. @returns false while that is under way */
export const stopCodegen = (facts: Facts, on: Effector, { label, run }: NonNullable<Facts['codegen']>): boolean =>
  on.tryCall('stop', 'codegen.stop', { ...inRun(facts), label, run }, STOP_SECONDS) !== null;

/** Keeps how the attempts came out, where there was a choice. @returns false while that is under way */
export function learnFrom(facts: Facts, on: Effector, isGood: boolean): boolean {
  const { strategies, tries } = facts;
  if (strategies === null || tries.length === 0) return true;
  const outcomes = outcomesOf(facts, isGood);
  if (outcomes.length === 0) return true;
  const request = { ...inRun(facts), level: strategies.level, outcomes };
  return on.tryCall('learn', 'generation.learn', request, CHOOSE_SECONDS) !== null;
}

/** What went back, or was never good, counts against who made it; whose work ended for another reason, nobody knows. */
function outcomesOf({ tries, verdicts }: Facts, isGood: boolean): Try[] {
  const last = tries.findLastIndex(({ succeeded }) => succeeded);
  const wasJudgedBad = Object.values(verdicts).includes('failed');
  return tries.flatMap((one, index) => {
    if (!one.succeeded || index !== last) return [{ ...one, succeeded: false }];
    return isGood ? [one] : wasJudgedBad ? [{ ...one, succeeded: false }] : [];
  });
}

const noCodegen = (facts: Facts): Facts => ({ ...facts, codegen: null });
const stopped = { answered: noCodegen, failed: noCodegen };

/** What is learned of who writes, of what became of it, and of what Codegen does. */
export const ofWriting = {
  choose: {
    answered: (facts, result, { round, attempt }) => {
      if (attempt !== 1) return facts;
      const { level, order } = result as ResultOf<'generation.choose'>;
      return { ...facts, strategies: { round, level, order: order.map(({ name }) => name) } };
    },
  },
  begin: {
    asked: (facts, effect) => ({
      ...facts,
      codegen: { label: requestOf<'codegen.begin'>(effect).label, run: null },
    }),
    answered: (facts, result) =>
      facts.codegen === null
        ? facts
        : { ...facts, codegen: { ...facts.codegen, run: (result as ResultOf<'codegen.begin'>).run } },
  },
  stop: stopped,
  'undo/stop': stopped,
  work: {
    answered: (facts, result) => ({ ...facts, lastFailure: failureIn(result) }),
    failed: (facts, failed) => (isOfWork(failed) ? { ...facts, lastFailure: failed.failure } : facts),
  },
  note: {
    asked: (facts, effect, { round }) => {
      if (effect.kind !== 'command' || facts.strategies === null) return facts;
      const { attempt, strategy, costUsd } = effect.data as CommandInput<'generation.fail-attempt'>;
      const one = { round, attempt, strategy, costUsd, succeeded: effect.type === 'generation.succeed' };
      return { ...facts, tries: [...facts.tries, one] };
    },
    answered: (facts, _, { round, attempt }) => ({ ...facts, told: [...facts.told, `${round}/${attempt}`] }),
  },
} satisfies Lessons<Facts>;
