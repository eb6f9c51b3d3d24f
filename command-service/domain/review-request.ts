import { reviewIdOf } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { DeliveryEvent } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { isTrusted, same } from '@workledger/shared/contexts/sync/delivery/trusted.ts';

/** Which pull requests are reviewed, as the configuration has it. */
export type ReviewRules = {
  readonly authors: 'none' | 'trusted' | 'members' | 'all';
  readonly label: string | null;
  readonly mention: boolean;
};

/** A pull request that may be one to review, as a delivery tells of it. */
export type ReviewRequest = {
  readonly number: number;
  /** Null: a comment does not tell it. */
  readonly head: string | null;
  /** The head that this one takes the place of. */
  readonly before: string | null;
  /** What happened: the pull request itself, a label that it got, its review asked for in its own field, or a comment of this id. */
  readonly by: 'pull' | 'label' | 'request' | { readonly comment: number };
  /** Of `label` the one that was added, else all that it has. */
  readonly labels: readonly string[];
  readonly author: string | null;
  /** As GitHub tells it of the author. */
  readonly isMember: boolean;
  readonly isDraft: boolean;
  /** In the repository itself; null: in a fork, or not told. */
  readonly branch: string | null;
};

type Asked = Extract<DeliveryEvent, { type: 'DeliveryReviewAsked' }>['data'];
type Known = { readonly name: string; readonly trusted: readonly string[]; readonly reviews?: ReviewRules | null };

const OURS = /^workledger\//;

/** The review that a repository wants of it, or why it wants none. @param sender who did what the delivery tells of */
export function reviewOf(request: ReviewRequest, sender: string | null, known: Known): Asked | { reason: string } {
  const { number, head, before, by, author, branch, isDraft } = request;
  const { reviews = null, trusted, name } = known;
  if (reviews === null) return { reason: `repository ${name} reviews no pull requests` };
  if (branch !== null && OURS.test(branch)) return { reason: `pull request #${number} is of Workledger itself` };
  const isKnown = (login: string | null): boolean => isTrusted('github', trusted, login);
  const why = whyNot(request, reviews, { author: isKnown(author), sender: isKnown(sender) });
  if (why !== null) return { reason: why };
  if (isDraft && by === 'pull') return { reason: `pull request #${number} is a draft` };
  const reviewId = reviewIdOf(name, number, head ?? `comment ${typeof by === 'object' ? by.comment : 0}`);
  // Whoever pushed last decides what is run here, too.
  const isTrustedCode = isKnown(author) && (by !== 'pull' || isKnown(sender));
  return { reviewId, repository: name, pullRequest: number, head, before, isTrusted: isTrustedCode };
}

function whyNot(
  { number, by, labels, isMember }: ReviewRequest,
  { authors, label, mention }: ReviewRules,
  isTrusted: { readonly author: boolean; readonly sender: boolean },
): string | null {
  const hasLabel = label !== null && labels.some((each) => same(each, label));
  if (by === 'pull') {
    const isWanted =
      authors === 'all' || (authors === 'members' && isMember) || (authors !== 'none' && isTrusted.author) || hasLabel;
    return isWanted ? null : `pull request #${number} is of nobody whose pull requests are reviewed unasked`;
  }
  if (by === 'label' ? !hasLabel : !mention) return `no review is asked for so`;
  return isTrusted.sender ? null : 'the sender is not trusted with this repository';
}
