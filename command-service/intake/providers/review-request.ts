import { z } from 'zod';
import type { ReviewRequest } from '../../domain/review-request.ts';

type Maybe<Value> = Value | null | undefined;
type Account = Maybe<{ readonly login?: Maybe<string> }>;
type Place = Maybe<{ readonly full_name?: Maybe<string> }>;
/** What is of use here of a delivery. */
type Told = {
  readonly action?: Maybe<string>;
  readonly repository?: Place;
  readonly label?: Maybe<{ readonly name?: Maybe<string> }>;
  readonly before?: Maybe<string>;
  readonly requested_reviewer?: Account;
  readonly pull_request?: Maybe<{
    readonly number?: Maybe<number>;
    readonly head?: Maybe<{ readonly ref?: Maybe<string>; readonly sha?: Maybe<string>; readonly repo?: Place }>;
    readonly user?: Account;
    readonly draft?: Maybe<boolean>;
    readonly author_association?: Maybe<string>;
    readonly labels?: unknown;
  }>;
  readonly issue?: Maybe<{
    readonly number?: Maybe<number>;
    readonly state?: Maybe<string>;
    readonly pull_request?: Maybe<object>;
    readonly user?: Account;
    readonly author_association?: Maybe<string>;
  }>;
  readonly comment?: Maybe<{ readonly id?: Maybe<number>; readonly body?: Maybe<string> }>;
};

const ASKING: ReadonlySet<string | undefined | null> = new Set([
  'opened',
  'reopened',
  'synchronize',
  'ready_for_review',
]);
const MEMBERS: ReadonlySet<string | undefined | null> = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);
const OUR_NAME = /^workledger(\[bot\])?$/i;
const CALL = /(^|\s)@workledger(\[bot\])?\s+review\b/i;
const labels = z.array(z.object({ name: z.string() })).catch([]);

/** A pull request that may be one to review; null: nothing of that. */
export function readReviewRequest(event: string, told: Told): ReviewRequest | null {
  if (event === 'issue_comment') return inComment(told);
  const { action, pull_request: pull, repository, label, before, requested_reviewer } = told;
  const { number, head, user, draft, author_association } = pull ?? {};
  if (event !== 'pull_request' || !number || !head?.sha) return null;
  const by = byOf(action, requested_reviewer?.login);
  if (by === null) return null;
  const isHere = head.repo?.full_name?.toLowerCase() === repository?.full_name?.toLowerCase();
  return {
    ...{ number, head: head.sha, by, author: user?.login ?? null, isMember: MEMBERS.has(author_association) },
    before: action === 'synchronize' ? (before ?? null) : null,
    labels: by === 'label' ? [label?.name ?? ''] : labels.parse(pull?.labels).map(({ name }) => name),
    ...{ isDraft: draft === true, branch: isHere ? (head.ref ?? null) : null },
  };
}

function byOf(action: string | null | undefined, reviewer: string | null | undefined): ReviewRequest['by'] | null {
  if (ASKING.has(action)) return 'pull';
  if (action === 'labeled') return 'label';
  return action === 'review_requested' && OUR_NAME.test(reviewer ?? '') ? 'request' : null;
}

function inComment({ action, issue, comment }: Told): ReviewRequest | null {
  const isAsked = action === 'created' && issue?.pull_request && CALL.test(comment?.body ?? '');
  if (!isAsked || !issue.number || !comment?.id || issue.state !== 'open') return null;
  return {
    ...{ number: issue.number, head: null, before: null, by: { comment: comment.id }, labels: [] },
    ...{ author: issue.user?.login ?? null, isMember: MEMBERS.has(issue.author_association) },
    ...{ isDraft: false, branch: null },
  };
}
