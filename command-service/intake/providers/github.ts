import { parsePart } from '@workledger/shared/http/parse.ts';
import { z } from 'zod';
import { UUID_PATTERN } from '@workledger/shared/contexts/text.ts';
import { asksForChanges, calledAnswer } from '@workledger/shared/contexts/sync/delivery/called-answer.ts';
import { readReviewRequest } from './review-request.ts';
import { FORM, isSigned, lenient, readJson, words, type Provider, type ProviderRequest } from '../provider.ts';

/** More than GitHub allows for any of these: a bound, not a rule. */
const MAX_BODY = 1_000_000;
const MAX_LABELS = 200;
/** Of a delivery. https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap */
const MAX_BYTES = 25 * 1024 * 1024;

const identifyingHeaders = z.object({
  'x-github-event': z.string().regex(/^\w{1,100}$/, 'the name of an event'),
  'x-github-delivery': z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'the id of a delivery'),
});

const named = lenient(z.object({ name: words(200) }));
const account = lenient(z.object({ login: words(100) }));
const repository = lenient(z.object({ full_name: words(300) }));

const commitId = lenient(z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/));

/** What is of use here of the fields of a delivery; all of it stays in the artefact store. https://docs.github.com/webhooks/webhook-events-and-payloads#issues */
const payload = z.object({
  action: words(100),
  repository,
  sender: account,
  issue: lenient(
    z.object({
      number: lenient(z.int().min(1)),
      title: words(1_000),
      body: words(MAX_BODY),
      state: words(20),
      html_url: words(2_000),
      updated_at: lenient(z.iso.datetime({ offset: true })),
      labels: lenient(z.unknown()),
      user: account,
      author_association: words(50),
      /** Only of a pull request. */
      pull_request: lenient(z.object({})),
    }),
  ),
  comment: lenient(z.object({ id: lenient(z.int().min(1)), body: words(MAX_BODY) })),
  /** With `pull_request` and its reviews. */
  pull_request: lenient(
    z.object({
      number: lenient(z.int().min(1)),
      draft: lenient(z.boolean()),
      user: account,
      author_association: words(50),
      labels: lenient(z.unknown()),
      head: lenient(z.object({ ref: words(300), sha: commitId, repo: repository })),
    }),
  ),
  /** With `synchronize`: the head of before. */
  before: commitId,
  requested_reviewer: account,
  /** With `check_suite`: of which commit and branch. */
  check_suite: lenient(
    z.object({
      head_branch: words(300),
      pull_requests: lenient(z.array(z.object({ number: z.int().min(1) }))),
    }),
  ),
  /** The label that was added or removed; only with `labeled` and `unlabeled`. */
  label: named,
});

/** Webhooks of GitHub. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
export const github: Provider = {
  name: 'github',
  title: 'GitHub',
  headers: { signature: 'X-Hub-Signature-256', event: 'X-GitHub-Event', delivery: 'X-GitHub-Delivery' },
  // Whoever sets a webhook up chooses one; a form is what GitHub offers first.
  mediaTypes: ['application/json', FORM],
  maxBytes: MAX_BYTES,
  verify: ({ headers, bytes }, secrets) => {
    const hex = /^sha256=(.*)$/.exec(headers['x-hub-signature-256'] ?? '')?.[1];
    return isSigned([bytes], hex, secrets) ? null : 'X-Hub-Signature-256 does not sign this body';
  },
  identify: ({ headers }) => {
    const given = parsePart(identifyingHeaders, headers, 'headers');
    return { event: given['x-github-event'], deliveryId: given['x-github-delivery'].toLowerCase() };
  },
  claimedRepositories: (request) => {
    const { repository } = understood(request) ?? {};
    return repository?.full_name ? [repository.full_name] : [];
  },
  read: (event, request) => {
    const told = understood(request);
    if (told === null) return { action: null, repository: null, sender: null, reason: 'the body is not understood' };
    const what = {
      action: told.action ?? null,
      repository: told.repository?.full_name ?? null,
      sender: told.sender?.login ?? null,
    };
    if (event === 'issues') return { ...what, ...readIssue(told) };
    const answer = event === 'issue_comment' ? readAnswer(told) : null;
    if (answer !== null) return { ...what, ...answer, reason: 'what it answers has no task' };
    const pull = readPull(event, told);
    if (pull !== null) return { ...what, pull };
    const review = readReviewRequest(event, told);
    if (review !== null) return { ...what, review };
    const reason = event === 'ping' ? 'ping: the webhook is set up' : `event ${event} starts no work`;
    return { ...what, reason, ...(isOfInstallation(event, what.action) && { installation: true }) };
  },
};

/** After which of its actions a repository may be called otherwise, or be one to work in no more, or again. */
const OF_REPOSITORY = new Set(['renamed', 'archived', 'unarchived', 'transferred', 'privatized', 'deleted', 'edited']);

/** Whether what an app is installed for may be something else after it. https://docs.github.com/webhooks/webhook-events-and-payloads#installation */
const isOfInstallation = (event: string, action: string | null): boolean =>
  event === 'repository' ? OF_REPOSITORY.has(action ?? '') : /^installation(_repositories|_target)?$/.test(event);

type Payload = z.infer<typeof payload>;

/** Null: no JSON object. What is signed, and kept, is the body as it came: how to read it is told by its media type. */
function understood({ bytes, mediaType }: ProviderRequest): Payload | null {
  try {
    return payload.parse(readJson(mediaType === FORM ? payloadIn(bytes) : bytes));
  } catch {
    return null;
  }
}

/** The one field of GitHub's forms: what else there may be of a large one is not taken apart. @throws URIError */
function payloadIn(form: Uint8Array): Uint8Array {
  const [, encoded = ''] = /(?:^|&)payload=([^&]*)/.exec(Buffer.from(form).toString()) ?? [];
  return Buffer.from(decodeURIComponent(encoded.replaceAll('+', ' ')));
}

/** As our part of a pull request's text begins: it names the task. */
const OF_TASK = new RegExp(`<!-- workledger:begin task=(${UUID_PATTERN}) `);

/** A comment on an issue, or on a pull request of ours, that answers; what is to be changed there is for its run, which reads it itself. */
function readAnswer({ action, repository, issue, comment }: Payload) {
  if (action !== 'created' || !issue?.number) return null;
  const said = calledAnswer(comment?.body ?? '');
  const taskId = issue.pull_request ? (OF_TASK.exec(issue.body ?? '')?.[1] ?? null) : null;
  if (said === null || (issue.pull_request && (taskId === null || said.verb === 'send-back'))) return null;
  const name = comment?.id ? { name: `comment ${repository?.full_name?.toLowerCase() ?? ''} ${comment.id}` } : {};
  const place = { issue: String(issue.number), ...(taskId !== null && { pullRequest: issue.number }) };
  return { ...name, answer: { ...said, ...place, taskId, questionId: null } };
}

/** What an open pull request may have waited for, or what its run will hear; null: none of that. */
function readPull(event: string, told: Payload) {
  const { action, pull_request, check_suite, comment } = told;
  if (event === 'issue_comment') return ourPull(told);
  if (event === 'pull_request_review_comment') {
    const { number, head } = pull_request ?? {};
    const isHeard = action === 'created' && asksForChanges(comment?.body ?? '');
    return isHeard && number && head?.ref ? { number, branch: head.ref } : null;
  }
  if (
    (event === 'pull_request' && action === 'closed') ||
    (event === 'pull_request_review' && action === 'submitted')
  ) {
    const { number, head } = pull_request ?? {};
    return number && head?.ref ? { number, branch: head.ref } : null;
  }
  if (event !== 'check_suite' || action !== 'completed') return null;
  const number = check_suite?.pull_requests?.[0]?.number;
  return number && check_suite?.head_branch ? { number, branch: check_suite.head_branch } : null;
}

/** Of a comment that wants changes of a pull request of ours: its branch is not told, but its text names the task. */
function ourPull({ action, issue, comment }: Payload) {
  const taskId = issue?.pull_request ? OF_TASK.exec(issue.body ?? '')?.[1] : undefined;
  if (action !== 'created' || !issue?.number || taskId === undefined) return null;
  return asksForChanges(comment?.body ?? '') ? { number: issue.number, branch: `workledger/${taskId}` } : null;
}

function readIssue({ action, repository, issue, label }: Payload) {
  if (!issue?.number || !repository?.full_name) return { reason: 'it does not say which issue it is about' };
  const { number, updated_at } = issue;
  const labels = Array.isArray(issue.labels) ? issue.labels.slice(0, MAX_LABELS) : [];
  return {
    issue: {
      id: String(number),
      name: `issue #${number}`,
      reference: `${repository.full_name}#${number}`,
      url: issue.html_url ?? null,
      title: issue.title ?? '',
      body: issue.body ?? '',
      labels: labels.flatMap((each) => named.parse(each)?.name ?? []),
      author: issue.user?.login ?? null,
      isOpen: issue.state === 'open',
      ...(updated_at && { updatedAt: new Date(updated_at).toISOString() }),
    },
    change: readChange(action ?? '', label?.name ? [label.name] : []),
  };
}

function readChange(action: string, labels: readonly string[]) {
  switch (action) {
    case 'labeled':
      return { kind: 'labeled' as const, added: labels };
    case 'unlabeled':
      return { kind: 'unlabeled' as const, removed: labels };
    case 'closed':
    case 'deleted':
    case 'transferred':
      return { kind: action } as const;
    default:
      return { kind: 'other' as const };
  }
}
