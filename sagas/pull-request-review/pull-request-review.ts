import { reviewDayId, reviewIdOf, type DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { ResultOf } from '../components/catalogue.ts';
import { inputOf, type Saga } from '../engine/saga.ts';
import { done, doubling, type PipelineState, type Step, waiting } from '../pipeline/definition.ts';
import { definePipeline } from '../pipeline/pipeline.ts';

type Input = Extract<DeliveryEvent, { type: 'DeliveryReviewAsked' | 'ReviewHeadNamed' | 'ReviewSuperseded' }>;
type Asked = Extract<DeliveryEvent, { type: 'DeliveryReviewAsked' }>['data'];

type Facts = {
  readonly asked: Asked | null;
  readonly isSuperseded: boolean;
  /** How the head stood when it was looked at; null: it was not. */
  readonly target: ResultOf<'github.review-target'> | null;
  readonly found: ResultOf<'code.review'> | null;
};
type Learned = { readonly learned?: Partial<Facts> };

const askedOf = ({ asked }: Facts): Asked => {
  if (asked === null) throw new Error('nothing was asked for yet');
  return asked;
};
const inRun = (facts: Facts) => {
  const { reviewId, repository, pullRequest } = askedOf(facts);
  return { taskId: reviewId, runId: reviewId, repository, number: pullRequest };
};
const retry = { attempts: 5, delaySeconds: doubling(4, 120) };

/** The head of before needs none any more. Whether this one does is seen where it is; one that nobody told gets a run of its own. */
const look: Step<Facts> = {
  name: 'look',
  retry,
  timeoutSeconds: 300,
  run: (facts, on) => {
    const { before, repository, pullRequest, head, isTrusted } = askedOf(facts);
    if (before !== null) {
      const reviewId = reviewIdOf(repository, pullRequest, before);
      if (on.tryCommand('supersede', 'delivery.supersede-review', reviewId, { reviewId }) === null) return waiting;
    }
    const target = on.call('look', 'github.review-target', { ...inRun(facts), head });
    if (target === null) return waiting;
    if (head === null && target.outcome === 'due') {
      const reviewId = reviewIdOf(repository, pullRequest, target.head);
      const named = { reviewId, repository, pullRequest, head: target.head, isTrusted };
      if (on.command('name', 'delivery.name-head', reviewId, named) === null) return waiting;
    }
    return done({ learned: { target } } satisfies Learned);
  },
};

const isDue = ({ asked, target }: Facts): boolean => asked?.head !== null && target?.outcome === 'due';

/** Each time that it is begun anew is paid: that is done once more, and no oftener. */
const examine: Step<Facts> = {
  name: 'examine',
  when: isDue,
  retry: { attempts: 2, delaySeconds: doubling(60, 60) },
  run: (facts, on) => {
    const { reviewId, repository, head, isTrusted } = askedOf(facts);
    const { mostPerDay: most = 1, timeoutSeconds: seconds } = facts.target ?? {};
    const day = reviewDayId(repository, on.now.toISOString().slice(0, 10));
    if (on.command('count', 'delivery.count-review', day, { reviewId, most }) === null) return waiting;
    const request = { ...inRun(facts), head: head ?? '', base: facts.target?.base ?? '', isTrusted };
    const found = on.call('review', 'code.review', request, seconds);
    return found === null ? waiting : done({ learned: { found } } satisfies Learned);
  },
};

const publish: Step<Facts> = {
  name: 'publish',
  when: isDue,
  retry: { attempts: 8, delaySeconds: doubling(2, 60) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const { head, isTrusted } = askedOf(facts);
    if (facts.found === null || head === null) return done();
    const { report } = facts.found;
    return on.call('publish', 'github.review', { ...inRun(facts), head, report, isTrusted }) === null
      ? waiting
      : done();
  },
};

/** A review of one head of a pull request of others: one run a head, under the review's id. */
export const pullRequestReview: Saga<PipelineState<Facts>> = definePipeline<Facts>({
  name: 'pull-request-review',
  topics: ['sync'],
  correlate,
  facts: { asked: null, isSuperseded: false, target: null, found: null },
  absorb,
  ready: ({ asked }) => asked !== null,
  stopped: ({ isSuperseded }) => (isSuperseded ? 'another head took its place' : null),
  steps: [look, examine, publish],
  conclude: () => done(),
});

const INPUTS: ReadonlySet<string> = new Set(['DeliveryReviewAsked', 'ReviewHeadNamed', 'ReviewSuperseded']);

function correlate({ type, data }: RecordedEvent): string | null {
  return INPUTS.has(type) ? (data as { reviewId: string }).reviewId : null;
}

function absorb(facts: Facts, event: SagaEvent): Facts {
  if (event.type === 'SagaStepChanged') return { ...facts, ...(event.data.detail as Learned).learned };
  if (event.type !== 'SagaInputReceived') return facts;
  const input = inputOf<Input>(event);
  if (input.type === 'ReviewSuperseded') return { ...facts, isSuperseded: true };
  // Told again (a label beside the push): the first counts.
  if (facts.asked !== null) return facts;
  return { ...facts, asked: { before: null, ...input.data } };
}
