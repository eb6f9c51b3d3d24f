import type { ResultOf } from '../../components/catalogue.ts';
import { because } from '../../engine/component.ts';
import { type Effector, failed, type Outcome } from '../../pipeline/definition.ts';
import { type Facts, HEAD_CHOICES } from '../facts.ts';
import { idInRun, inRound, inRun, known, planOf } from './run.ts';

type Seen = ResultOf<'github.look'>;

/** What a person said of the head that the pull request has now; undefined: nobody did. */
export const saidOf = ({ stuck, commit, answers }: Facts) =>
  stuck !== null && stuck.commit === commit ? answers[stuck.questionId] : undefined;

/** A person gave the head up. */
export function givenUp(facts: Facts): Outcome | null {
  return saidOf(facts) === 'give-up'
    ? failed(because('await-merge', `a person gave pull request #${known(facts.pull).number} up`))
    : null;
}

/** Whether checks ran on an earlier head, and for the time that is given none began on this one. */
export function lacksChecks(facts: Facts, on: Effector, { checks, mergeableState }: Seen): boolean {
  const { checksSeconds = 900 } = planOf(facts).pullRequest ?? {};
  const needsThem = facts.checked || (facts.rebased > 0 && mergeableState === 'blocked');
  return checks.state === 'none' && needsThem && on.pause('checks', checksSeconds) && !facts.news;
}

/**
 * Asks, once a head, what is to become of it: nothing more is tried by itself. True as soon as that is asked: people read it on the
 * pull request, and where its task came from.
 */
export function askPerson(facts: Facts, on: Effector, why: string, isMergeable: boolean): boolean {
  const commit = known(facts.commit);
  if (facts.stuck?.commit === commit && facts.answers[facts.stuck.questionId] !== undefined) return true;
  const { number, url } = known(facts.pull);
  const mayMerge = isMergeable && planOf(facts).pullRequest?.mergedBy === 'workledger';
  const choices = HEAD_CHOICES.filter((choice) => choice !== 'merge' || mayMerge);
  const text = `${why} It is not tried again by itself. Pull request #${number} (${url}): is it to wait for somebody who sees to it, ${mayMerge ? 'to be merged as it is, ' : ''}or to be given up?`;
  const { taskId, runId } = inRun(facts);
  const askee = { kind: 'role', role: 'operator' } as const;
  const question = idInRun(facts, 'question', 'head', commit);
  const data = { taskId, runId, askee, commit, text, choices };
  return on.tryCommand('ask', 'question.ask-choice', question, data) !== null;
}

/** What was asked about a head is no matter any more, once there is another one, or its checks have begun. */
export function withdrawQuestion(facts: Facts, on: Effector, look: number, isSettled: boolean): boolean {
  if (facts.stuck === null || (!isSettled && facts.stuck.commit === facts.commit)) return true;
  const reason = 'the pull request came further';
  return on.tryCommand(inRound('withdraw', look), 'question.withdraw', facts.stuck.questionId, { reason }) !== null;
}
