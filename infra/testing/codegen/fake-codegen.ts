import { startJsonServer, type Asked, type ServerAnswer } from '../slack/server.ts';

export type FakeRun = {
  readonly id: number;
  readonly prompt: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Told one a look; the last one stays. */
  readonly states: string[];
  banned: boolean;
  result: string | null;
  pulls: { readonly id: number; readonly url: string; readonly head_branch_name: string; state: string }[];
};

/** What an agent of Codegen does: how it stands at each look, and what it leaves. */
export type FakeWork = {
  readonly states?: readonly string[];
  readonly result?: string;
  /** It pushed this branch by itself, and opened a pull request. */
  readonly branch?: string;
};

const NAMES: Readonly<Record<string, string>> = {
  ...{ 'POST /agent/run': 'begin', 'GET /agent/runs': 'list', 'POST /agent/run/ban': 'ban' },
  'GET /v1/users/me': 'me',
};

const refused = (status: number, message: string): ServerAnswer => ({ status, body: { message, status_code: status } });
const invalid = (field: string, msg: string): ServerAnswer => ({
  ...{ status: 422, body: { detail: [{ loc: ['body', field], msg, type: 'value_error' }] } },
});
const notFound: ServerAnswer = { status: 404, body: { detail: 'Agent run not found' } };

/** Codegen's API as far as Workledger asks it: runs are paid when they begin, so these count. */
export async function startFakeCodegen({ token = 'cg-token-of-the-test', organization = 7 } = {}) {
  const runs: FakeRun[] = [];
  let work: (run: FakeRun) => FakeWork = () => ({});
  /** Begins that are let in before the limit of a minute is told; null: no limit. */
  const quota = { left: null as number | null };
  const below = `/v1/organizations/${organization}`;

  const server = await startJsonServer(
    (method, { pathname, searchParams }, text) => {
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      const path = pathname.startsWith(below) ? pathname.slice(below.length) : pathname;
      const [, run] = /^\/agent\/run\/(\d+)$/.exec(path) ?? [];
      const [, pull] = /^\/prs\/(\d+)$/.exec(path) ?? [];
      const data = { ...body, ...Object.fromEntries(searchParams) };
      if (method === 'GET' && run !== undefined) return { name: 'look', data: { ...data, run: Number(run) } };
      if (method === 'PATCH' && pull !== undefined) return { name: 'close', data: { ...data, pull: Number(pull) } };
      return { name: NAMES[`${method} ${path}`] ?? `${method} ${path}`, data };
    },
    (asked) => answerTo(asked),
  );

  const viewOf = ({ id, metadata, result, pulls, states }: FakeRun): object => ({
    ...{ id, organization_id: organization, status: states[0] ?? null, created_at: '2026-01-01T00:00:00' },
    ...{ web_url: `${server.url}/agent/trace/${id}`, result, summary: null, source_type: 'API' },
    ...{ github_pull_requests: pulls.map((pull) => ({ ...pull, title: 'Work', created_at: '2026-01-01' })), metadata },
  });

  function answerTo({ name, headers, data }: Asked): ServerAnswer {
    if (headers.authorization !== `Bearer ${token}`) return { status: 403, body: { detail: 'Invalid token' } };
    switch (name) {
      case 'me':
        return { body: { id: 1, email: null } };
      case 'begin':
        return beginRun(data);
      case 'list': {
        const skip = Number(data['skip'] ?? 0);
        const limit = Number(data['limit'] ?? 100);
        if (limit > 100) return invalid('limit', 'Input should be less than or equal to 100');
        const all = runs.toReversed();
        const items = all.slice(skip, skip + limit).map(viewOf);
        return { body: { items, total: all.length, page: 1, size: limit, pages: 1 } };
      }
      case 'look': {
        const run = runs.find(({ id }) => id === data['run']);
        if (run === undefined) return notFound;
        const view = viewOf(run);
        if (run.states.length > 1) run.states.shift();
        return { body: view };
      }
      case 'ban': {
        const run = runs.find(({ id }) => id === data['agent_run_id']);
        if (run === undefined) return notFound;
        run.banned = true;
        return { body: { message: 'ok' } };
      }
      case 'close': {
        const pull = runs.flatMap(({ pulls }) => pulls).find(({ id }) => id === data['pull']);
        if (pull === undefined) return { status: 404, body: { detail: 'Not found' } };
        pull.state = String(data['state']);
        return { body: {} };
      }
      default:
        return { status: 404, body: { detail: 'Not Found' } };
    }
  }

  function beginRun(data: Asked['data']): ServerAnswer {
    if (typeof data['prompt'] !== 'string' || data['prompt'] === '') return invalid('prompt', 'Field required');
    if (quota.left !== null && quota.left <= 0) return refused(429, 'Rate limit exceeded: 10 per 1 minute');
    if (quota.left !== null) quota.left -= 1;
    const metadata = (data['metadata'] ?? {}) as FakeRun['metadata'];
    const id = 1_000 + runs.length;
    const begun: FakeRun = {
      ...{ id, prompt: data['prompt'], metadata, body: data, banned: false, result: null, pulls: [] },
      states: [],
    };
    const { states = ['ACTIVE', 'COMPLETE'], result = 'Done.', branch } = work(begun);
    begun.states.push(...states);
    begun.result = result;
    if (branch !== undefined)
      begun.pulls.push({
        id: id * 10,
        url: `https://github.example/pull/${id}`,
        head_branch_name: branch,
        state: 'open',
      });
    runs.push(begun);
    return { body: viewOf(begun) };
  }

  return {
    ...server,
    ...{ token, organization, runs: runs as readonly FakeRun[], quota },
    /** What the agents of all later runs do. */
    does: (next: typeof work): void => void (work = next),
  };
}
