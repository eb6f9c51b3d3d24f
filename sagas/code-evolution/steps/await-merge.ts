import { because } from '../../engine/component.ts';
import type { ResultOf } from '../../components/catalogue.ts';
import { done, doubling, type Effector, failed, type Outcome, type Step, waiting } from '../../pipeline/definition.ts';
import type { Facts, Feedback, Learned } from '../facts.ts';
import { followBase, isBehind, keptTooLong, letNext, MOST_REBASED } from './moved-base.ts';
import { cancelJudging, ofNewBase } from './new-base.ts';
import { asBlock, CHECK, checksOf, pullOf, say, showCheck, showFindings } from './pull-request.ts';
import {
  byPullRequest,
  claimOf,
  inRun,
  known,
  leavingOf,
  planOf,
  sendBack,
  unaffordable,
  withoutAgent,
} from './run.ts';
import { askPerson, givenUp, lacksChecks, saidOf, withdrawQuestion } from './stuck-head.ts';

/** How often red checks of its host may send work back within a run; the same failure twice never does. */
const MOST_RED = 3;
/** So many looks that fail one after the other are no passing trouble: about a day. */
const MOST_FAILED = 150;
/** Looks after which no check is taken for none to come. */
const LOOKS_FOR_CHECKS = 2;
const LONGER = 20;

/**
 * Waits until the pull request is merged: by a person, or by Workledger as soon as its checks are green and GitHub allows it. It is looked at
 * from time to time, and at once when somebody tells of it. Red checks and what trusted persons want send the work back.
 */
export const awaitMerge: Step<Facts> = {
  name: 'await-merge',
  when: byPullRequest,
  retry: { attempts: 8, delaySeconds: doubling(2, 60) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    if (!begin(facts, on)) return waiting;
    const { number } = known(facts.pull);
    for (let look = 1, failures = 0; ; look++) {
      if (look > 1 && !mayLook(facts, on, look)) return waiting;
      const own = [CHECK, ...checksOf(facts).map(({ name }) => `${CHECK}/${name}`)];
      const request = { ...inRun(facts), number, except: own, heard: facts.heard };
      const seen = on.tryCall(`look-${look}`, 'github.look', request);
      if (seen === null) return waiting;
      if (seen.failure !== undefined) {
        failures += 1;
        if (!seen.retryable || failures >= MOST_FAILED) return failed(seen.failure, false, seen.fault);
        continue;
      }
      failures = 0;
      const next = follow(facts, on, look, seen.result);
      if (next !== null) return next;
    }
  },
  abandon: (facts, on) => {
    const reason = facts.stopped ?? 'the run ended';
    const left = letNext(facts, on, 1, leavingOf(facts, reason));
    return left && cancelJudging(facts, on, 'cancel', reason) ? done() : waiting;
  },
  learns: {
    ...ofNewBase,
    look: {
      // What is asked for now sees whatever was told before.
      asked: (facts, _, { round, attempt, number }) => ({
        ...facts,
        looks: { place: `${round}/${attempt}`, number },
        news: false,
      }),
      answered: (facts, result) => {
        const { state, checks, mergeCommit } = result as ResultOf<'github.look'>;
        if (state === 'merged') return { ...facts, seen: state, merged: true, landed: mergeCommit ?? null };
        const checked = facts.checked || !['none', undefined].includes(checks?.state);
        return { ...facts, seen: state, checked };
      },
    },
    merge: {
      answered: (facts, result) => {
        const { outcome, commit = null } = result as ResultOf<'github.merge'>;
        return outcome === 'merged' ? { ...facts, merged: true, landed: commit } : facts;
      },
    },
    rebase: {
      asked: (facts, _, { round, attempt, number }) => ({ ...facts, moving: `${round}/${attempt}/${number}` }),
    },
    enter: { answered: (facts) => ({ ...facts, queued: true }) },
    leave: { answered: (facts) => ({ ...facts, queued: false, turn: false }) },
    withdraw: { answered: (facts) => ({ ...facts, stuck: null }) },
    // It was looked at before this time was over.
    checks: { answered: (facts) => ({ ...facts, news: true }) },
    turn: { answered: (facts) => ({ ...facts, news: true }) },
  },
};

/** Tells how the work came out of its tests, and lets its agent do something else. */
function begin(facts: Facts, on: Effector): boolean {
  const { agentId, claimId } = claimOf(facts);
  const told = on.call('tell', 'github.pull-request', pullOf(facts, 'passed'));
  if (told === null || !showCheck(facts, on, 'success', 'the tests passed')) return false;
  if (!showFindings(facts, on)) return false;
  const reason = 'its work waits for its pull request';
  return on.tryCommand('free', 'agent.release', agentId, { claimId, reason }) !== null;
}

/** As soon as its time has come, or somebody told of it; whoever was looked at so often before is looked at again. */
function mayLook(facts: Facts, on: Effector, look: number): boolean {
  const { pollSeconds = 30 } = planOf(facts).pullRequest ?? {};
  const isOver = on.pause(`pause-${look}`, doubling(pollSeconds, LONGER * pollSeconds)(look));
  return isOver || facts.news || (isAt(facts, on) && facts.looks.number >= look);
}

/** Whether this attempt has looked. */
const isAt = ({ looks }: Facts, on: Effector): boolean => looks.place === `${on.round}/${on.attempt}`;

/** What follows from how it stands; null: it is looked at again. */
function follow(facts: Facts, on: Effector, look: number, seen: ResultOf<'github.look'>): Outcome | null {
  // Whatever followed from it has been done.
  if (isAt(facts, on) && look < facts.looks.number) return null;
  const { number } = known(facts.pull);
  if (seen.state === 'merged') return land(facts, on, look, seen.mergeCommit);
  if (seen.state === 'closed')
    return failed(because('await-merge', `pull request #${number} was closed and not merged`));
  if (seen.wanted !== null) {
    const { report, heard } = seen.wanted;
    const reason = `a person wants changes of pull request #${number}: see what they say`;
    const spent = spentFor(facts, reason);
    if (spent !== null) return unheard(facts, on, look, spent);
    return back(facts, on, look, { reason, log: report }, { heard });
  }
  // What somebody else pushed is theirs.
  if (seen.head !== facts.commit) return leaveTo(facts, on, look, 'somebody else pushed to it');
  return followHead(facts, on, look, seen);
}

/** Of a head that is ours. */
function followHead(facts: Facts, on: Effector, look: number, seen: ResultOf<'github.look'>): Outcome | null {
  if (!withdrawQuestion(facts, on, look, seen.checks.state !== 'none')) return waiting;
  const ended = givenUp(facts);
  if (ended !== null) return ended;
  if (seen.failure !== null) return onRed(facts, on, look, seen, seen.failure);
  if (saidOf(facts) === undefined && lacksChecks(facts, on, seen))
    return stuck(facts, on, look, seen, 'Checks ran on an earlier head, and none has started on this one.');
  if (isBehind(seen)) {
    if (facts.rebased < MOST_REBASED) return followBase(facts, on, look);
    return stuck(facts, on, look, seen, `Its base moved again, after it was put onto it ${facts.rebased} times.`);
  }
  if (facts.queued && !facts.turn && seen.mergeable !== null)
    return leaveTo(facts, on, look, 'it needs no turn any more');
  if (keptTooLong(facts, on)) return leaveTo(facts, on, look, 'it waits for people, or for checks');
  return mayMerge(facts, look, seen) ? mergeNow(facts, on, look) : null;
}

function leaveTo(facts: Facts, on: Effector, look: number, reason: string): Outcome | null {
  return letNext(facts, on, look, { outcome: 'sent-back', reason }) ? null : waiting;
}

function stuck(facts: Facts, on: Effector, look: number, seen: ResultOf<'github.look'>, why: string): Outcome | null {
  return askPerson(facts, on, why, !isBehind(seen)) ? leaveTo(facts, on, look, why) : waiting;
}

function land(facts: Facts, on: Effector, look: number, commit: string | null): Outcome {
  if (!letNext(facts, on, look, { outcome: 'merged', reason: null })) return waiting;
  return done({ learned: { merged: true, landed: commit } } satisfies Learned);
}

/** Its money is used up: what stands is a person's matter then, as where its rounds are. */
const spentFor = (facts: Facts, reason: string): string | null =>
  claimOf(facts).from === undefined ? (unaffordable(facts, reason)?.reason ?? null) : null;

const UP_TO_YOU = 'It waits for a person: merge it, close it, or push to it';

/** Who wants changes is told why nobody makes them, once; the pull request stays. */
function unheard(facts: Facts, on: Effector, look: number, spent: string): Outcome | null {
  const words = [
    'What is wanted of it is read, and no agent does it: the budget of its task is spent.',
    asBlock(`${spent}\ncommit: ${facts.commit ?? ''}`),
    `${UP_TO_YOU}.`,
  ];
  const comment = { number: known(facts.pull).number, about: 'changes', text: words.join('\n\n') };
  return say(facts, on, 'unheard', comment) ? leaveTo(facts, on, look, 'its budget is spent') : waiting;
}

/** A person's words, and checks of others, count apart from what the work's own faults allow. */
function back(facts: Facts, on: Effector, look: number, feedback: Feedback, learned: Partial<Facts>): Outcome {
  if (claimOf(facts).from !== undefined)
    return failed(withoutAgent({ ...because('await-merge', feedback.reason), log: feedback.log }));
  if (!letNext(facts, on, look, { outcome: 'sent-back', reason: feedback.reason })) return waiting;
  return sendBack(facts, on, feedback, { sentBack: facts.sentBack, ...learned });
}

/** Red checks go back to the agent, unless that did not help before: then a person is told, and the pull request waits for one. */
function onRed(
  facts: Facts,
  on: Effector,
  look: number,
  { checks }: ResultOf<'github.look'>,
  { signature, report }: NonNullable<ResultOf<'github.look'>['failure']>,
): Outcome | null {
  const names = checks.failed.map((name) => `"${name}"`).join(', ');
  const isVain = facts.red.includes(signature) || facts.red.length >= MOST_RED;
  const reason = `checks of the pull request failed: ${names}`;
  const spent = isVain ? null : spentFor(facts, reason);
  if (!isVain && spent === null) {
    return back(facts, on, look, { reason, log: report }, { red: [...facts.red, signature] });
  }
  const { number } = known(facts.pull);
  const why =
    spent !== null
      ? 'the budget of its task is spent'
      : facts.red.includes(signature)
        ? 'the same failed before, and in the same way'
        : 'others failed before';
  const words = [
    `The work went back to its agent ${facts.red.length} times for failed checks, and does not again: ${why}.`,
    asBlock([`failed now: ${names}`, `commit: ${facts.commit ?? ''}`, ...(spent === null ? [] : [spent])].join('\n')),
    spent === null
      ? `${UP_TO_YOU}, or say what to do in a comment that begins with the name of Workledger after an @.`
      : `${UP_TO_YOU}.`,
  ];
  return say(facts, on, 'give-up', { number, about: 'checks', text: words.join('\n\n') })
    ? leaveTo(facts, on, look, 'its checks failed')
    : waiting;
}

const mayMerge = (facts: Facts, look: number, { checks, draft, mergeable }: ResultOf<'github.look'>): boolean =>
  planOf(facts).pullRequest?.mergedBy === 'workledger' &&
  !draft &&
  mergeable !== false &&
  (checks.state === 'passed' ||
    (checks.state === 'none' && (facts.checked ? saidOf(facts) === 'merge' : look > LOOKS_FOR_CHECKS)));

function mergeNow(facts: Facts, on: Effector, look: number): Outcome | null {
  const { method = 'merge' } = planOf(facts).pullRequest ?? {};
  const request = { ...inRun(facts), number: known(facts.pull).number, commit: known(facts.commit), method };
  const merged = on.tryCall(`merge-${look}`, 'github.merge', request);
  if (merged === null) return waiting;
  if (merged.failure !== undefined) return merged.retryable ? null : failed(merged.failure, false, merged.fault);
  // Reviews or checks are missing, or somebody was faster: the next look tells.
  return merged.result.outcome === 'merged' ? land(facts, on, look, merged.result.commit) : null;
}
