import { invalid, notFound, okay, refusal, type FakeAnswer } from './answer.ts';
import type { FakeRepository } from './state.ts';

type Request = {
  readonly repository: FakeRepository;
  readonly login: { readonly login: string };
  readonly body: Readonly<Record<string, unknown>>;
  readonly parts: readonly string[];
};

type Comment = { readonly path?: string; readonly line?: number; readonly side?: string; readonly body?: string };
type Body = { readonly event?: string; readonly body?: string; readonly comments?: readonly Comment[] };

const SHOWN = /^@@ -\d+(?:,\d+)? \+(\d+),?(\d*) @@/gm;

/** Whether a hunk of the file's patch spans the line. */
function isShown({ repository, parts }: Request, { path, line = 0 }: Comment): boolean {
  const file = repository.files.get(Number(parts[0]))?.find(({ filename }) => filename === path);
  return [...(file?.patch ?? '').matchAll(SHOWN)].some(([, start, length]) => {
    const first = Number(start);
    return line >= first && line < first + Number(length === '' ? 1 : length);
  });
}

const STATES: Readonly<Record<string, string>> = {
  ...{ COMMENT: 'COMMENTED', REQUEST_CHANGES: 'CHANGES_REQUESTED', APPROVE: 'APPROVED' },
};
const isOfOthers = ({ head }: { readonly head: string }): boolean => !head.startsWith('workledger/');

/** One that asked for changes, or approved, no longer does. */
export function dismissReview({ repository, parts }: Request): FakeAnswer {
  const all = repository.reviews.get(Number(parts[0])) ?? [];
  const found = all.find(({ id }) => String(id) === parts[1]);
  if (found === undefined) return notFound;
  if (found.state === 'COMMENTED') return refusal(422, 'Can not dismiss a commented pull request review');
  const dismissed = { ...found, state: 'DISMISSED' };
  repository.reviews.set(
    Number(parts[0]),
    all.map((one) => (one === found ? dismissed : one)),
  );
  return okay(dismissed);
}

/** A review with its comments, all or nothing: a line that the diff does not show refuses the whole of it. */
export function makeReview(request: Request): FakeAnswer {
  const { repository, login, parts } = request;
  const number = Number(parts[0]);
  const pull = repository.pulls.find((one) => one.number === number);
  if (pull === undefined) return notFound;
  const { event, body = '', comments = [] } = request.body as Body;
  const state = STATES[event ?? ''];
  // Of its own pull requests a login may not say more than words.
  if (state === undefined || (state !== 'COMMENTED' && !isOfOthers(pull)))
    return refusal(422, 'Can not approve your own pull request');
  if (body === '') return invalid('PullRequestReview', { field: 'body', code: 'missing_field' });
  if (comments.some((one) => one.side !== 'RIGHT' || !isShown(request, one)))
    return refusal(422, 'Unprocessable Entity', { errors: ['Line could not be resolved'] });
  const id = repository.nextId++;
  const all = repository.reviews.get(number) ?? [];
  repository.reviews.set(number, [...all, { id, user: 1, login: login.login, state, body }]);
  const notes = comments.map((one) => ({
    ...{ ...one, id: repository.nextId++, pull_request_review_id: id },
    user: { login: login.login, id: 1 },
  }));
  repository.notes.set(number, [...(repository.notes.get(number) ?? []), ...notes]);
  return okay({ id, state, body }, 200);
}
