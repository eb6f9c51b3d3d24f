import { reviewIdOf } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { describe, expect, it } from 'vitest';
import { routeDelivery } from './delivery.ts';
import type { ReviewRequest, ReviewRules } from './review-request.ts';

const head = 'a'.repeat(40);
const before = 'b'.repeat(40);
const request: ReviewRequest = {
  ...{ number: 7, head, before: null, by: 'pull', labels: [], author: 'ada' },
  ...{ isMember: false, isDraft: false, branch: null },
};
const usual: ReviewRules = { authors: 'trusted', label: null, mention: true };
const asked = (change: Partial<ReviewRequest>, reviews: Partial<ReviewRules> | null = {}, sender = 'ada') =>
  routeDelivery(
    'github',
    { action: 'x', repository: 'acme/shop', sender, review: { ...request, ...change } },
    {
      repositories: [
        {
          ...{ name: 'shop', github: 'acme/shop', trusted: ['ada'], capabilities: [] },
          reviews: reviews && { ...usual, ...reviews },
        },
      ],
      rules: [],
    },
  );
const due = (change: object = {}) => ({
  ...{ reviewId: reviewIdOf('shop', 7, head), repository: 'shop', pullRequest: 7, head, before: null },
  ...{ isTrusted: true, ...change },
});
const ignored = (reason: string) => ({ reason: expect.stringContaining(reason) as string });

describe('a pull request of others', () => {
  it('is reviewed nowhere unless the repository says so', () => {
    expect(asked({}, null)).toEqual(ignored('reviews no pull requests'));
    expect(asked({}, { authors: 'none' })).toEqual(ignored('nobody'));
  });

  it('is reviewed unasked where its author is one whose are', () => {
    expect(asked({})).toEqual(due());
    expect(asked({ author: 'eve' }, {}, 'eve')).toEqual(ignored('nobody'));
    expect(asked({ author: 'eve' }, { authors: 'members' }, 'eve')).toEqual(ignored('nobody'));
    expect(asked({ author: 'eve', isMember: true }, { authors: 'members' }, 'eve')).toEqual(due({ isTrusted: false }));
    expect(asked({ author: 'eve' }, { authors: 'all' }, 'eve')).toEqual(due({ isTrusted: false }));
  });

  it('is code to be run here only where its author is trusted, and whoever pushed it', () => {
    expect(asked({ before }, {}, 'eve')).toEqual(due({ before, isTrusted: false }));
    expect(asked({ before })).toEqual(due({ before }));
  });

  it('is reviewed for a label that somebody who is trusted gave it, and then at each head', () => {
    const label = { label: 'review' };
    expect(asked({ author: 'eve', by: 'label', labels: ['Review'] }, label)).toEqual(due({ isTrusted: false }));
    expect(asked({ author: 'eve', by: 'label', labels: ['review'] }, label, 'eve')).toEqual(ignored('not trusted'));
    expect(asked({ author: 'eve', by: 'label', labels: ['other'] }, label)).toEqual(ignored('no review'));
    expect(asked({ author: 'eve', labels: ['review'], before }, label, 'eve')).toEqual(
      due({ before, isTrusted: false }),
    );
  });

  it('is reviewed when somebody who is trusted asks for it, also as a draft', () => {
    const mention = { author: 'eve', by: { comment: 3 }, head: null } as const;
    const byComment = { reviewId: reviewIdOf('shop', 7, 'comment 3'), head: null, isTrusted: false };
    expect(asked(mention)).toEqual(due(byComment));
    expect(asked(mention, {}, 'eve')).toEqual(ignored('not trusted'));
    expect(asked(mention, { mention: false })).toEqual(ignored('no review'));
    expect(asked({ by: 'request', isDraft: true })).toEqual(due());
  });

  it('is not reviewed as a draft unasked, nor where it is of Workledger itself', () => {
    expect(asked({ isDraft: true })).toEqual(ignored('draft'));
    expect(asked({ branch: 'workledger/x' })).toEqual(ignored('of Workledger itself'));
  });
});
