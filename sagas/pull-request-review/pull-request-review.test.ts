import { reviewIdOf } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { describe, expect, it } from 'vitest';
import { scenario } from '../engine/testing/scenario.ts';
import { pullRequestReview } from './pull-request-review.ts';

const [head, before, base] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
const report = { digest: 'e'.repeat(64), size: 1, mediaType: 'application/json' };
const reviewId = reviewIdOf('shop', 7, head);

function asked(change: object = {}) {
  const run = scenario(pullRequestReview);
  const data = { reviewId, repository: 'shop', pullRequest: 7, head, before: null, isTrusted: false, ...change };
  run.receives('delivery', newId(), 'DeliveryReviewAsked', data);
  return run;
}
const target = (outcome: string) => ({ outcome, head, base, timeoutSeconds: 90, mostPerDay: 5 });
const found = { report, findings: 1, costUsd: 0.2 };

describe('the review of a head', () => {
  it('looks whether it is due, lets it be read, and writes it', () => {
    const run = asked();
    expect(run.requested('look/1/1/look')).toMatchObject({
      ...{ component: 'github.review-target', request: { number: 7, head, repository: 'shop' } },
    });
    run.succeeds('look/1/1/look', target('due'));
    expect(run.requested('examine/1/1/count')).toMatchObject({ data: { reviewId, most: 5 } });
    run.succeeds('examine/1/1/count');
    expect(run.requested('examine/1/1/review')).toMatchObject({
      ...{ component: 'code.review', timeoutSeconds: 90, request: { head, base, isTrusted: false } },
    });
    run.succeeds('examine/1/1/review', found);
    expect(run.requested('publish/1/1/publish')).toMatchObject({
      ...{ component: 'github.review', request: { head, report, isTrusted: false } },
    });
    run.succeeds('publish/1/1/publish', { outcome: 'made', comments: 1 });
    expect(run.ended()).toBe('completed');
  });

  it.each(['superseded', 'closed', 'reviewed', 'enough', 'own'])('costs nothing where it is %s', (outcome) => {
    const run = asked();
    run.succeeds('look/1/1/look', target(outcome));
    expect(run.keys()).toEqual(['look/1/1/look']);
    expect(run.ended()).toBe('completed');
  });

  it('takes the place of the one before it', () => {
    const run = asked({ before });
    expect(run.requested('look/1/1/supersede')).toMatchObject({
      ...{ type: 'delivery.supersede-review', target: reviewIdOf('shop', 7, before) },
    });
  });

  it('is cancelled when another head takes its place, and writes nothing', () => {
    const run = asked();
    run.succeeds('look/1/1/look', target('due'));
    run.succeeds('examine/1/1/count');
    run.receives('delivery', reviewId, 'ReviewSuperseded', { reviewId });
    run.fails('examine/1/1/review', false, 'stopped');
    expect(run.ended()).toBe('cancelled');
    expect(run.keys().filter((key) => key.includes('publish'))).toEqual([]);
  });

  it('that a comment asked for is handed to the run of the head that there is', () => {
    const run = asked({ reviewId: reviewIdOf('shop', 7, 'comment 3'), head: null });
    run.succeeds('look/1/1/look', target('due'));
    expect(run.requested('look/1/1/name')).toMatchObject({
      ...{ type: 'delivery.name-head', target: reviewId, data: { reviewId, head, isTrusted: false } },
    });
    run.succeeds('look/1/1/name');
    expect(run.ended()).toBe('completed');

    const own = scenario(pullRequestReview);
    const named = { reviewId, repository: 'shop', pullRequest: 7, head, isTrusted: false };
    own.receives('delivery', reviewId, 'ReviewHeadNamed', named);
    own.receives('delivery', newId(), 'DeliveryReviewAsked', { ...named, before: null });
    expect(own.open()).toEqual(['look/1/1/look']);
  });

  it('is not read where so many were begun on this day', () => {
    const run = asked();
    run.succeeds('look/1/1/look', target('due'));
    run.fails('examine/1/1/count', false, 'out-of-range: 5 reviews were begun on this day');
    expect(run.ended()).toBe('failed');
    expect(run.keys().filter((key) => key.endsWith('review'))).toEqual([]);
  });

  it('is begun anew once at most where its agent fails', () => {
    const run = asked();
    run.succeeds('look/1/1/look', target('due'));
    run.succeeds('examine/1/1/count');
    run.fails('examine/1/1/review', true, 'no review', 1, { fault: 'work' });
    run.succeeds('examine/1/1/retry');
    run.succeeds('examine/1/2/count');
    run.fails('examine/1/2/review', true, 'no review', 1, { fault: 'work' });
    expect(run.ended()).toBe('failed');
  });
});
