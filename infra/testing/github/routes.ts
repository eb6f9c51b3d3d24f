import { invalid, notFound, okay, pages, refusal, type FakeAnswer } from './answer.ts';
import type { FakeLogin } from './login.ts';
import { dismissReview, makeReview } from './make-review.ts';
import { missingCheck } from './required-checks.ts';
import { ownerOf, shownPull, type FakePull, type FakeRepository } from './state.ts';

export type FakeRequest = {
  readonly repository: FakeRepository;
  readonly login: Exclude<FakeLogin, { readonly kind: 'app' }>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  /** What the pattern's groups stand for. */
  readonly parts: readonly string[];
  readonly url: string;
  /** Of the other host, where logs are. */
  readonly logsUrl: string;
};
type Handler = (request: FakeRequest) => FakeAnswer;
export type FakeRoute = {
  readonly method: string;
  readonly path: RegExp;
  readonly permission: string;
  readonly handle: Handler;
};

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const pullOf = ({ repository, parts }: FakeRequest): FakePull | undefined =>
  repository.pulls.find(({ number }) => String(number) === parts[0]);

const listPulls: Handler = ({ repository, query, url }) => {
  const state = query.get('state') ?? 'open';
  const [owner, branch] = (query.get('head') ?? '').split(':');
  const found = repository.pulls
    .filter((pull) => state === 'all' || pull.state === state)
    // One without an owner filters nothing, as with GitHub.
    .filter((pull) => branch === undefined || (owner === ownerOf(repository) && pull.head === branch))
    .filter((pull) => query.get('base') === null || pull.base === query.get('base'));
  const times = ({ created_at = '', updated_at = created_at }: FakePull) => updated_at;
  if (query.get('sort') === 'updated') found.sort((a, b) => times(a).localeCompare(times(b)));
  const sorted = query.get('direction') === 'asc' ? found : found.toReversed();
  return pages(sorted.map((pull) => shownPull(repository, pull, url)));
};

const openPull: Handler = ({ repository, body, url }) => {
  const { title, head, base } = { title: text(body['title']), head: text(body['head']), base: text(body['base']) };
  if (title === null || head === null || base === null)
    return invalid('PullRequest', {
      field: title === null ? 'title' : head === null ? 'head' : 'base',
      code: 'missing_field',
    });
  const sha = repository.branches.get(head);
  if (sha === undefined) return invalid('PullRequest', { field: 'head', code: 'invalid' });
  if (!repository.branches.has(base)) return invalid('PullRequest', { field: 'base', code: 'invalid' });
  if (repository.branches.get(base) === sha) return invalid('PullRequest', `No commits between ${base} and ${head}`);
  if (repository.pulls.some((pull) => pull.state === 'open' && pull.head === head && pull.base === base))
    return invalid('PullRequest', `A pull request already exists for ${ownerOf(repository)}:${head}.`);
  const pull: FakePull = {
    number: repository.nextNumber++,
    ...{ title, body: text(body['body']), state: 'open', draft: body['draft'] === true },
    ...{ merged_at: null, merge_commit_sha: null, head, sha, base },
  };
  repository.pulls.push(pull);
  return okay(shownPull(repository, pull, url), 201);
};

const changePull: Handler = (request) => {
  const pull = pullOf(request);
  const { body, repository, url } = request;
  if (pull === undefined) return notFound;
  if (body['state'] === 'open' && pull.merged_at !== null)
    return invalid('PullRequest', { field: 'state', code: 'invalid' });
  if (body['state'] === 'open' || body['state'] === 'closed') pull.state = body['state'];
  if (typeof body['title'] === 'string') pull.title = body['title'];
  if (typeof body['body'] === 'string') pull.body = body['body'];
  if (typeof body['base'] === 'string') pull.base = body['base'];
  return okay(shownPull(repository, pull, url));
};

const mergePull: Handler = (request) => {
  const pull = pullOf(request);
  const { body, repository } = request;
  if (pull === undefined) return notFound;
  if (pull.state === 'closed') return refusal(405, 'Pull Request is not mergeable');
  if (repository.notMergeable !== null) return refusal(405, repository.notMergeable);
  if (repository.mustBeUpToDate && !repository.isUpToDate(pull))
    return refusal(405, 'Head branch is not up to date with the base branch.');
  const head = repository.branches.get(pull.head) ?? pull.sha;
  const missing = missingCheck(repository, head);
  if (missing !== null) return refusal(405, missing);
  if (typeof body['sha'] === 'string' && body['sha'] !== head)
    return refusal(409, 'Head branch was modified. Review and try the merge again.');
  const sha = repository.onMerge(pull);
  repository.branches.set(pull.base, sha);
  Object.assign(pull, { state: 'closed', merged_at: new Date().toISOString(), merge_commit_sha: sha, sha: head });
  return okay({ sha, merged: true, message: 'Pull Request successfully merged' });
};

const listReviews: Handler = (request) => {
  const pull = pullOf(request);
  if (pull === undefined) return notFound;
  const all = request.repository.reviews.get(pull.number) ?? [];
  return pages(
    all.map(({ user, login, ...review }) => ({
      ...{ ...review, commit_id: pull.sha },
      user: { id: user, login: login ?? `user-${user}` },
    })),
  );
};

const listNotes: Handler = (request) => pages(request.repository.notes.get(Number(request.parts[0])) ?? []);

const annotations: Handler = ({ repository, parts }) => {
  const found = repository.checkRuns.find(({ id }) => String(id) === parts[0]);
  return found === undefined ? notFound : pages((found['annotations'] as readonly unknown[] | undefined) ?? []);
};

const isPull = ({ pulls }: FakeRepository, number: number): boolean => pulls.some((pull) => pull.number === number);

const shownComment = (
  { repository, url }: FakeRequest,
  { number, login, at, ...comment }: FakeRepository['comments'][number],
) => ({
  ...comment,
  ...(at !== undefined && { created_at: at }),
  // GitHub shows a pull request's comments under its own address.
  html_url: `${url}/${repository.name}/${isPull(repository, number) ? 'pull' : 'issues'}/${number}#issuecomment-${comment.id}`,
  issue_url: `${url}/repos/${repository.name}/issues/${number}`,
  user: { login, id: login.length },
});

const comments: Handler = (request) =>
  pages(
    request.repository.comments
      .filter(({ number }) => String(number) === request.parts[0])
      .map((comment) => shownComment(request, comment)),
  );

const comment: Handler = (request) => {
  const { repository, login, parts } = request;
  const body = text(request.body['body']);
  if (body === null || body === '') return invalid('IssueComment', { field: 'body', code: 'missing_field' });
  const made = { id: repository.nextId++, number: Number(parts[0]), body, login: login.login };
  repository.comments.push(made);
  return okay(shownComment(request, made), 201);
};

const oneComment: Handler = (request) => {
  const found = request.repository.comments.find(({ id }) => String(id) === request.parts[0]);
  return found === undefined ? notFound : okay(shownComment(request, found));
};

const changeComment: Handler = (request) => {
  const found = request.repository.comments.find(({ id }) => String(id) === request.parts[0]);
  if (found === undefined) return notFound;
  if (found.login !== request.login.login) return refusal(403, 'Must have admin rights to Repository.');
  found.body = text(request.body['body']) ?? found.body;
  return okay(shownComment(request, found));
};

const labelsOf = ({ repository, parts }: FakeRequest): string[] => repository.labels.get(Number(parts[0])) ?? [];
const shownLabels = (names: readonly string[]) => names.map((name) => ({ name, color: 'ededed' }));

const addLabels: Handler = (request) => {
  const added = request.body['labels'] as readonly string[];
  const all = [...new Set([...labelsOf(request), ...added])];
  request.repository.labels.set(Number(request.parts[0]), all);
  return okay(shownLabels(all));
};

const removeLabel: Handler = (request) => {
  const [number, name = ''] = request.parts;
  const before = labelsOf(request);
  if (!before.includes(decodeURIComponent(name))) return refusal(404, 'Label does not exist');
  const after = before.filter((one) => one !== decodeURIComponent(name));
  request.repository.labels.set(Number(number), after);
  return okay(shownLabels(after));
};

const listCheckRuns: Handler = ({ repository, parts, query }) => {
  const name = query.get('check_name');
  const found = repository.checkRuns.filter(
    (run) => run['head_sha'] === parts[0] && (name === null || run['name'] === name),
  );
  return pages(found.toReversed(), 'check_runs');
};

const makeCheckRun: Handler = ({ repository, login, body }) => {
  if (login.kind !== 'installation') return refusal(403, 'You must authenticate via a GitHub App.');
  if (body['status'] === 'completed' && typeof body['conclusion'] !== 'string')
    return invalid('CheckRun', { field: 'conclusion', code: 'missing_field' });
  const run = { ...body, status: body['status'] ?? 'queued', id: repository.nextId++, appId: login.appId };
  repository.checkRuns.push(run);
  return okay(run, 201);
};

const changeCheckRun: Handler = ({ repository, parts, body }) => {
  const found = repository.checkRuns.find(({ id }) => String(id) === parts[0]);
  return found === undefined ? notFound : okay(Object.assign(found, body));
};

const statusesOf = ({ repository, parts }: FakeRequest) =>
  repository.statuses.filter(({ sha }) => sha === parts[0]).toReversed();

const combinedStatus: Handler = (request) => {
  const newest = statusesOf(request).filter(
    ({ context }, at, all) => all.findIndex((one) => one.context === context) === at,
  );
  return pages(newest, 'statuses');
};

const makeStatus: Handler = ({ repository, parts, body }) => {
  const { state, context = 'default' } = body as { readonly state?: string; readonly context?: string };
  if (!['error', 'failure', 'pending', 'success'].includes(state ?? ''))
    return invalid('Status', { field: 'state', code: 'invalid' });
  const made = { ...body, sha: parts[0] ?? '', state: state ?? '', context };
  repository.statuses.push(made);
  return okay(made, 201);
};

const getRef: Handler = ({ repository, parts }) => {
  const sha = repository.branches.get(decodeURIComponent(parts[0] ?? ''));
  return sha === undefined ? notFound : okay({ ref: `refs/heads/${parts[0]}`, object: { sha, type: 'commit' } });
};

const deleteRef: Handler = ({ repository, parts }) =>
  repository.branches.delete(decodeURIComponent(parts[0] ?? ''))
    ? { status: 204 }
    : refusal(422, 'Reference does not exist');

const route = (method: string, path: RegExp, permission: string, handle: Handler): FakeRoute => ({
  method,
  path,
  permission,
  handle,
});

/** What is asked below `/repos/<owner>/<name>`. */
export const routes: readonly FakeRoute[] = [
  route('GET', /^\/pulls$/, 'pull_requests=read', listPulls),
  route('POST', /^\/pulls$/, 'pull_requests=write', openPull),
  route('GET', /^\/pulls\/(\d+)$/, 'pull_requests=read', (request) => {
    const pull = pullOf(request);
    return pull === undefined ? notFound : okay(shownPull(request.repository, pull, request.url));
  }),
  route('PATCH', /^\/pulls\/(\d+)$/, 'pull_requests=write', changePull),
  route('PUT', /^\/pulls\/(\d+)\/merge$/, 'contents=write', mergePull),
  route('GET', /^\/pulls\/(\d+)\/reviews$/, 'pull_requests=read', listReviews),
  route('POST', /^\/pulls\/(\d+)\/reviews$/, 'pull_requests=write', makeReview),
  route('PUT', /^\/pulls\/(\d+)\/reviews\/(\d+)\/dismissals$/, 'pull_requests=write', dismissReview),
  route('GET', /^\/pulls\/(\d+)\/files$/, 'pull_requests=read', ({ repository, parts }) =>
    pages(repository.files.get(Number(parts[0])) ?? []),
  ),
  route('GET', /^\/pulls\/(\d+)\/comments$/, 'pull_requests=read', listNotes),
  route('GET', /^\/check-runs\/(\d+)\/annotations$/, 'checks=read', annotations),
  route('GET', /^\/issues\/(\d+)\/comments$/, 'issues=read', comments),
  route('POST', /^\/issues\/(\d+)\/comments$/, 'issues=write', comment),
  route('GET', /^\/issues\/comments\/(\d+)$/, 'issues=read', oneComment),
  route('PATCH', /^\/issues\/comments\/(\d+)$/, 'issues=write', changeComment),
  route('GET', /^\/issues\/(\d+)\/labels$/, 'issues=read', (request) => pages(shownLabels(labelsOf(request)))),
  route('POST', /^\/issues\/(\d+)\/labels$/, 'issues=write', addLabels),
  route('DELETE', /^\/issues\/(\d+)\/labels\/([^/]+)$/, 'issues=write', removeLabel),
  route('GET', /^\/commits\/([^/]+)\/check-runs$/, 'checks=read', listCheckRuns),
  route('POST', /^\/check-runs$/, 'checks=write', makeCheckRun),
  route('PATCH', /^\/check-runs\/(\d+)$/, 'checks=write', changeCheckRun),
  route('GET', /^\/commits\/([^/]+)\/statuses$/, 'statuses=read', (request) => pages(statusesOf(request))),
  route('GET', /^\/commits\/([^/]+)\/status$/, 'statuses=read', combinedStatus),
  route('POST', /^\/statuses\/([^/]+)$/, 'statuses=write', makeStatus),
  route('GET', /^\/git\/ref\/heads\/(.+)$/, 'contents=read', getRef),
  route('DELETE', /^\/git\/refs\/heads\/(.+)$/, 'contents=write', deleteRef),
  route('GET', /^\/issues\/events$/, 'issues=read', ({ repository }) => pages(repository.issueEvents.toReversed())),
  route('GET', /^\/issues\/comments$/, 'issues=read', (request) => {
    const since = Date.parse(request.query.get('since') ?? '');
    const found = request.repository.comments.filter(({ at = '' }) => Date.parse(at) >= since);
    return pages(found.map((comment) => shownComment(request, comment)));
  }),
  route('GET', /^\/actions\/jobs\/(\d+)$/, 'actions=read', ({ repository, parts }) => {
    const { log: _log, ...job } = repository.jobs.get(Number(parts[0])) ?? { log: null };
    return _log === null ? notFound : okay({ id: Number(parts[0]), status: 'completed', ...job });
  }),
  route('GET', /^\/actions\/jobs\/(\d+)\/logs$/, 'actions=read', ({ repository, parts, logsUrl }) => {
    const isThere = repository.jobs.has(Number(parts[0]));
    const location = `${logsUrl}/${repository.name}/${parts[0]}.txt?sig=signed-address`;
    return isThere ? { status: 302, headers: { Location: location } } : notFound;
  }),
];
