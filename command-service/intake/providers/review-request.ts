import { z } from 'zod';
import type { ReviewRequest } from '../../domain/review-request.ts';
import type { Payload } from './github.ts';

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
export function readReviewRequest(event: string, told: Payload): ReviewRequest | null {
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

function inComment({ action, issue, comment }: Payload): ReviewRequest | null {
  const isAsked = action === 'created' && issue?.pull_request && CALL.test(comment?.body ?? '');
  if (!isAsked || !issue.number || !comment?.id || issue.state !== 'open') return null;
  return {
    ...{ number: issue.number, head: null, before: null, by: { comment: comment.id }, labels: [] },
    ...{ author: issue.user?.login ?? null, isMember: MEMBERS.has(issue.author_association) },
    ...{ isDraft: false, branch: null },
  };
}
