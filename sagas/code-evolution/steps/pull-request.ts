import { TESTS } from '@workledger/shared/config/checks.ts';
import type { RequestOf, ResultOf } from '../../components/catalogue.ts';
import { done, doubling, type Effector, type Outcome, type Step, waiting } from '../../pipeline/definition.ts';
import { type Facts, judgementOf } from '../facts.ts';
import { beginsAfter, branchOf, byPullRequest, claimOf, inRun, known, planOf } from './run.ts';

/** What our own check is called, beside those of others. */
export const CHECK = 'workledger';

/** Offers the published work on its host, before anything is judged: people see it grow. Later rounds tell it anew in its place. */
export const openPullRequest: Step<Facts> = {
  name: 'open-pull-request',
  when: byPullRequest,
  retry: { attempts: 8, delaySeconds: doubling(2, 60) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const isJudged = beginsAfter(facts, 'validate') && facts.rebased === 0;
    const opened = on.call('open', 'github.pull-request', pullOf(facts, isJudged ? 'passed' : 'running'));
    if (opened === null) return waiting;
    const { taskId, claimId } = claimOf(facts);
    const { number, url } = opened;
    const noted = on.tryCommand('note', 'task.note-pull-request', taskId, { claimId, number, url });
    return noted && (isJudged || showCheck(facts, on, 'in_progress', 'the tests run')) ? done() : waiting;
  },
  compensate: (facts, on) => (facts.merged ? done() : close(facts, on)),
  learns: {
    open: {
      answered: (facts, result) => {
        const { number, url } = result as ResultOf<'github.pull-request'>;
        return { ...facts, pull: { number, url } };
      },
    },
    'undo/close': {
      answered: (facts, result) => {
        const { outcome, mergeCommit = null } = result as ResultOf<'github.close'>;
        return outcome === 'merged' ? { ...facts, merged: true, landed: mergeCommit } : facts;
      },
    },
  },
};

/** What the pull request says now. */
export const pullOf = (
  facts: Facts,
  tests: RequestOf<'github.pull-request'>['tests'],
): RequestOf<'github.pull-request'> => {
  const metricsBefore = facts.prepared?.metricsBefore ?? null;
  return {
    ...inRun(facts),
    ...{ branch: branchOf(facts), base: planOf(facts).baseBranch ?? 'main', draft: false, link: null, issue: null },
    ...{ metricsBefore, metrics: facts.metrics, costUsd: facts.costUsd, tests },
    ...(facts.change !== undefined && { change: facts.change }),
  };
};

/** Shows at the commit how far it is; true as soon as that is told. Where it cannot be, the work goes on without. */
export function showCheck(
  facts: Facts,
  on: Effector,
  state: RequestOf<'github.check'>['state'],
  title: string,
): boolean {
  const request = {
    ...{ ...inRun(facts), commit: known(facts.commit), name: CHECK, externalId: claimOf(facts).claimId },
    ...{ state, title: title.slice(0, TITLE_LENGTH).toWellFormed(), summary: saidSoFar(facts, state), link: null },
  };
  return on.tryCall('check', 'github.check', request) !== null;
}

const TITLE_LENGTH = 200;
const WORDS = { queued: 'waiting', in_progress: 'running', success: 'passed', failure: 'failed' } as const;

/** Each check that judges the commit with what it said, or that it has said nothing yet: a line each. */
function saidSoFar(facts: Facts, state: RequestOf<'github.check'>['state']): string {
  const told = checksOf(facts);
  if (told.length > 0) return told.map(({ name, verdict, reason }) => `- ${name}: ${verdict}: ${reason}`).join('\n');
  // Whoever has no named checks has its tests.
  const names = state === 'in_progress' ? (planOf(facts).checks ?? [TESTS]) : [TESTS];
  const words: string = state in WORDS ? WORDS[state as keyof typeof WORDS] : state;
  return names.map((name) => `- ${name}: ${words}`).join('\n');
}

/** What the named checks said of the commit; none where there are none, or where it was judged before they had names. */
export const checksOf = ({ commit, base, judged }: Facts) =>
  (commit === null || base === null ? undefined : judged[judgementOf({ commit, base })]?.checks) ?? [];

/** Shows each named check, and what it complains about on the lines of the pull request; true as soon as that is told, or cannot be. */
export function showFindings(facts: Facts, on: Effector): boolean {
  const checks = checksOf(facts);
  if (checks.length === 0 || facts.pull === null) return true;
  const { number } = facts.pull;
  const request = { ...inRun(facts), commit: known(facts.commit), number, under: CHECK, checks };
  return on.tryCall('findings', 'github.findings', request) !== null;
}

/** Says why, once it is closed; one that somebody else closed has been spoken of. */
function close(facts: Facts, on: Effector): Outcome {
  const request = { ...inRun(facts), number: facts.pull?.number ?? null, branch: branchOf(facts) };
  const closed = on.call('close', 'github.close', request);
  if (closed === null) return waiting;
  const number = closed.number ?? null;
  if (number === null || facts.seen === 'closed' || isOver(closed)) return done();
  const reason = facts.stopped ?? facts.ending ?? 'the run ended';
  const text = `Closed: the work on this task ended.\n\n${asBlock(reason)}`;
  return say(facts, on, 'closed', { number, about: 'pull-request', text }) ? done() : waiting;
}

const isOver = ({ outcome }: ResultOf<'github.close'>): boolean => outcome === 'absent' || outcome === 'merged';

/** Comments; true as soon as that is told, or cannot be. */
export const say = (
  facts: Facts,
  on: Effector,
  name: string,
  comment: Pick<RequestOf<'github.comment'>, 'number' | 'about' | 'text'>,
): boolean => on.tryCall(name, 'github.comment', { ...inRun(facts), ...comment }) !== null;

const BLOCK_LENGTH = 2_000;

/** Words of programs and of others: as they are, and calling nobody. */
export const asBlock = (words: string): string =>
  `~~~text\n${words.slice(0, BLOCK_LENGTH).toWellFormed().replaceAll('~~~', '~ ~ ~').trim()}\n~~~`;
