import type { ResultOf } from '../../components/catalogue.ts';
import type { Effector, Settled } from '../../pipeline/definition.ts';
import { type Facts, judgementOf } from '../facts.ts';
import { checkSeconds, inRun, planOf } from './run.ts';

type Question = { readonly commit: string; readonly base: string };

/**
 * Is this commit good on this base? The repository's own tests answer, once in a run: whoever asks again is told what they said.
 * @param name of the effect, if one is needed
 * @returns null while it waits; else what `code.validate` says: `failure` null when it is good, `commit` what was tested (the commit
 * itself, or one on top of it with the protected paths restored), `report`. Tests that cannot be run fail the step.
 */
export function judged(facts: Facts, on: Effector, name: string, question: Question): ResultOf<'code.validate'> | null {
  const stands = answerTo(facts, 'code.validate', question, facts.judged);
  if (stands !== undefined) return stands;
  return on.call(name, 'code.validate', { ...inRun(facts), ...question }, checkSeconds(planOf(facts)));
}

/** Writes down what was said of a commit; null while that is under way. */
export function tellJudgement(
  on: Effector,
  name: string,
  validation: string,
  { report, protectedChanges, failure, checks }: ResultOf<'code.validate'>,
) {
  const said = { protectedChanges, ...(checks !== undefined && { checks }) };
  return failure === null
    ? on.command(name, 'validation.pass', validation, { report, ...said })
    : on.command(name, 'validation.fail', validation, { failure, ...said });
}

/** As `judged`, where the step itself deals with tests that cannot be run. */
export function tryJudged(
  facts: Facts,
  on: Effector,
  name: string,
  question: Question,
): Settled<ResultOf<'code.validate'>> | null {
  const stands = answerTo(facts, 'code.validate', question, facts.judged);
  if (stands !== undefined) return stands && { result: stands };
  return on.tryCall(name, 'code.validate', { ...inRun(facts), ...question }, checkSeconds(planOf(facts)));
}

/** How a commit measures; asked once in a run, too. */
export function tryMeasured(
  facts: Facts,
  on: Effector,
  name: string,
  question: Question,
): Settled<ResultOf<'code.evaluate'>> | null {
  const stands = answerTo(facts, 'code.evaluate', question, facts.measured);
  if (stands !== undefined) return stands && { result: stands };
  const plan = planOf(facts);
  // One at a time on a machine: those of all candidates may come before it.
  const seconds = checkSeconds(plan) * (1 + (plan.evolve?.candidates ?? 0));
  return on.tryCall(name, 'code.evaluate', { ...inRun(facts), ...question }, seconds);
}

/** What is known; null while somebody waits for it; undefined: it is to be asked. */
function answerTo<Answer>(
  { asked }: Facts,
  component: string,
  question: Question,
  answers: Readonly<Record<string, Answer>>,
): Answer | null | undefined {
  const about = judgementOf(question);
  return answers[about] ?? (Object.values(asked).includes(`${component} ${about}`) ? null : undefined);
}
