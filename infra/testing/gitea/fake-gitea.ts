import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { git } from '../repository/git.ts';

/** What goes wrong with a request: before it is looked at, or after it was done; `hold-after`: its answer waits until `release`. */
export type Fault =
  | { readonly kind: 'answer' | 'answer-after'; readonly status: number; readonly message: string }
  | { readonly kind: 'hold-after' };

type FakePull = {
  readonly number: number;
  title: string;
  body: string;
  readonly head: string;
  readonly base: string;
} & {
  state: 'open' | 'closed';
  merged: boolean;
};
type FakeComment = { readonly id: number; readonly issue: number; body: string };
type FakeRepository = { readonly origin: string; readonly pulls: FakePull[]; readonly comments: FakeComment[] };

type GiteaAnswer = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};
type Said = { readonly [field in 'title' | 'body' | 'head' | 'base' | 'state']?: string };

const PREFIX = '/git';
const MOST_A_PAGE = 50;
const refusal = (status: number, message: string): GiteaAnswer => ({
  status,
  body: { message, url: 'https://gitea.example/api/swagger' },
});
const notFound = refusal(404, "The target couldn't be found.");
const BASE_IS_HEAD = 'Invalid PullRequest: There are no changes between the head and the base';
const MERGED = 'cannot change state of this pull request, it was already merged';

/**
 * Gitea's API over HTTP, below a path of its own, as far as the example plugin asks it: tokens, pages and refusals as Gitea has them, and
 * what goes wrong as a test wants it. It counts what it was asked.
 * @param origins by their names there (`acme/shop`), bare repositories: whose branches there are
 */
export async function startFakeGitea({ origins, token }: { origins: Readonly<Record<string, string>>; token: string }) {
  const repositories = new Map<string, FakeRepository>(
    Object.entries(origins).map(([name, origin]) => [name, { origin, pulls: [], comments: [] }]),
  );
  const calls: { readonly call: string; readonly status: number }[] = [];
  const faults: { readonly call: string; readonly fault: Fault; left: number }[] = [];
  const held = new Set<ServerResponse>();
  // Issues and pull requests share their numbers.
  let last = 100;

  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const { method = '', headers } = request;
      const asked = new URL(request.url ?? '', url);
      const path = asked.pathname.replace(`${PREFIX}/api/v1`, '');
      const call = `${method} ${path}`;
      const found = faults.find((one) => one.left > 0 && one.call === call);
      if (found !== undefined) found.left -= 1;
      const fault = found?.fault;
      const answer =
        fault?.kind === 'answer'
          ? refusal(fault.status, fault.message)
          : answerTo(headers.authorization, method, asked, text === '' ? {} : (JSON.parse(text) as Said));
      const {
        status,
        body,
        headers: more,
      } = fault?.kind === 'answer-after' ? refusal(fault.status, fault.message) : answer;
      calls.push({ call, status });
      response.writeHead(status, { 'Content-Type': 'application/json;charset=utf-8', ...more });
      if (fault?.kind === 'hold-after') held.add(response);
      else response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}`;

  function answerTo(login: string | undefined, method: string, asked: URL, said: Said): GiteaAnswer {
    if (login === undefined) return refusal(401, 'token is required');
    if (login !== `token ${token}`) return refusal(401, 'invalid username, password or token');
    const [, name = '', rest = ''] = /^\/git\/api\/v1\/repos\/([^/]+\/[^/]+)\/(.+)$/.exec(asked.pathname) ?? [];
    const repository = repositories.get(name);
    if (repository === undefined) return notFound;
    const [, kind, number = '', more = ''] = /^(issues|pulls)(?:\/(comments\/\d+|\d+))?(\/comments)?$/.exec(rest) ?? [];
    if (kind === 'issues') return commentsOf(repository, `${method} ${more}`, number, said);
    const shown = (one: FakePull) => shownPull(name, one);
    if (kind !== 'pulls') return notFound;
    if (number === '') return method === 'POST' ? open(repository, said, shown) : list(repository, asked, shown);
    const known = repository.pulls.find((one) => one.number === Number(number));
    if (known === undefined) return notFound;
    if (method !== 'PATCH') return { status: 200, body: shown(known) };
    if (said.state !== undefined && known.merged) return refusal(412, MERGED);
    return { status: 201, body: shown(Object.assign(known, said)) };
  }

  function commentsOf({ comments }: FakeRepository, what: string, number: string, { body = '' }: Said): GiteaAnswer {
    // All of an issue's: pages are not looked at.
    if (what === 'GET /comments')
      return { status: 200, body: comments.filter(({ issue }) => issue === Number(number)) };
    const known = comments.find(({ id }) => number === `comments/${id}`);
    if (what === 'PATCH ' && known !== undefined) return { status: 200, body: Object.assign(known, { body }) };
    if (what !== 'POST /comments') return notFound;
    const made = { id: (last += 1), issue: Number(number), body };
    comments.push(made);
    return { status: 201, body: made };
  }

  function list(
    { pulls }: FakeRepository,
    { searchParams: wanted }: URL,
    shown: (pull: FakePull) => object,
  ): GiteaAnswer {
    const state = wanted.get('state') ?? 'open';
    const [page, limit] = [Number(wanted.get('page') ?? 1), Math.min(Number(wanted.get('limit') ?? 30), MOST_A_PAGE)];
    const all = pulls.filter((one) => state === 'all' || one.state === state).toReversed();
    const end = page * limit;
    return {
      status: 200,
      body: all.slice(end - limit, end).map(shown),
      headers: {
        'X-Total-Count': String(all.length),
        ...(end < all.length && { Link: `<${url}/next?page=${page + 1}>; rel="next",<${url}/last>; rel="last"` }),
      },
    };
  }

  function open(repository: FakeRepository, said: Said, shown: (pull: FakePull) => object): GiteaAnswer {
    const { title = '', body = '', head = '', base = '' } = said;
    if (head === base) return refusal(422, BASE_IS_HEAD);
    if (![head, base].every((branch) => hasBranch(repository.origin, branch))) return notFound;
    const known = repository.pulls.find((one) => one.state === 'open' && one.head === head && one.base === base);
    if (known !== undefined) {
      const ids = `id: 7${known.number}, issue_id: ${known.number}, head_repo_id: 1, base_repo_id: 1`;
      const message = `pull request already exists for these targets [${ids}, head_branch: ${head}, base_branch: ${base}]`;
      return refusal(409, message);
    }
    return { status: 201, body: shown(add(repository, { title, body, head, base })) };
  }

  function add({ pulls }: FakeRepository, words: Pick<FakePull, 'title' | 'body' | 'head' | 'base'>): FakePull {
    const made: FakePull = { ...words, number: (last += 1), state: 'open', merged: false };
    pulls.push(made);
    return made;
  }

  const shownPull = (name: string, { head, base, ...pull }: FakePull) => ({
    ...{ ...pull, id: 7_000 + pull.number, html_url: `${url}${PREFIX}/${name}/pulls/${pull.number}` },
    head: { label: head, ref: head, repo: { full_name: name } },
    base: { label: base, ref: base, repo: { full_name: name } },
  });

  const at = (name: string): FakeRepository => {
    const found = repositories.get(name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  };
  return {
    ...{ host, url: `${url}${PREFIX}/`, calls },
    pulls: (name: string): readonly FakePull[] => at(name).pulls,
    comments: (name: string, issue: number): readonly string[] =>
      at(name).comments.flatMap((one) => (one.issue === issue ? [one.body] : [])),
    /** What persons did. */
    addPull: (name: string, words: Pick<FakePull, 'title' | 'body' | 'head' | 'base'>) => add(at(name), words),
    addComment: (name: string, issue: number, body: string) => at(name).comments.push({ id: (last += 1), issue, body }),
    /** So many of the next such calls (`POST /repos/acme/shop/pulls`) go wrong. */
    fail: (call: string, fault: Fault, times = 1): void => void faults.push({ call, fault, left: times }),
    /** How often it was asked for that. */
    count: (call: string): number => calls.filter((one) => one.call === call).length,
    isHolding: (): boolean => held.size > 0,
    /** Those that still wait have their answers. */
    release: (): void => {
      for (const response of held) response.end('{}');
      held.clear();
    },
    close: (): void => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type FakeGitea = Awaited<ReturnType<typeof startFakeGitea>>;

function hasBranch(origin: string, branch: string): boolean {
  return git(origin, 'for-each-ref', '--format=%(refname)', `refs/heads/${branch}`) !== '';
}

/** A delivery of Gitea, as it signs it: about an issue that somebody labelled. */
export function labelledDelivery(
  { name, number, title }: { readonly name: string; readonly number: number; readonly title: string },
  { sender, secret }: { readonly sender: string; readonly secret: string },
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const body = JSON.stringify({
    ...{ action: 'label_updated', number, repository: { full_name: name }, sender: { login: sender } },
    issue: {
      ...{ number, title, body: 'please', state: 'open', user: { login: sender } },
      ...{ html_url: `https://gitea.example/${name}/issues/${number}`, labels: [{ id: 1, name: 'workledger' }] },
    },
  });
  const headers = {
    'Content-Type': 'application/json',
    'X-Gitea-Event': 'issues',
    'X-Gitea-Delivery': randomUUID(),
    'X-Gitea-Signature': createHmac('sha256', secret).update(body).digest('hex'),
  };
  return { body, headers };
}
