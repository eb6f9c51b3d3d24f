import { createHash, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { notFound, okay, pages, refusal, type FakeAnswer } from './answer.ts';
import { asBearer, createGitHost } from './git-host.ts';
import { createLogins, type FakeApp, type FakeLogin } from './login.ts';
import { startLogStore } from './log-store.ts';
import { createManifests } from './manifests.ts';
import { routes } from './routes.ts';
import { createFakeRepository, type FakeDelivery, type FakeRepository } from './state.ts';

/** What goes wrong with a request: before it is looked at, or after it was done. */
export type Fault =
  | { readonly kind: 'answer'; readonly answer: FakeAnswer }
  | { readonly kind: 'page'; readonly status: number }
  | { readonly kind: 'drop' | 'drop-after' | 'hang' | 'hang-after' | 'cut' };

export type FakeCall = {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly login: FakeLogin | null;
  readonly status: number;
};

const QUOTA = 5_000;
const HOUR_SECONDS = 3_600;
/** As Workledger's own button asks for them: no workflows. */
const PERMISSIONS = { contents: 'write', issues: 'write', metadata: 'read', pull_requests: 'write' };

let madeKeyPair: ReturnType<typeof makeKeyPair> | undefined;
const makeKeyPair = () => generateKeyPairSync('rsa', { modulusLength: 2_048 });
/** One for all of a process: its primes take a while to find. */
const keyPair = (): ReturnType<typeof makeKeyPair> => (madeKeyPair ??= makeKeyPair());

/**
 * GitHub's REST API over HTTP, as far as Workledger asks it: errors, limits, pages and ETags as GitHub has them, and what goes wrong as a
 * test wants it. It counts what it was asked.
 */
export async function startFakeGithub(options: { readonly token?: string; readonly prefix?: string } = {}) {
  const { token = 'ghp_faketokenfaketokenfaketoken1', prefix = '' } = options;
  const pair = keyPair();
  const app: FakeApp = {
    ...{ id: '7', slug: 'workledger-test', publicKey: pair.publicKey },
    ...{ installations: new Map(), suspended: new Set(), permissions: PERMISSIONS },
    tokenMilliseconds: 1_000 * HOUR_SECONDS,
  };
  const logins = createLogins(new Map([[token, 'workledger-bot']]), app);
  const repositories = new Map<string, FakeRepository>();
  const calls: FakeCall[] = [];
  const faults: { readonly method: string; readonly path: RegExp; readonly fault: Fault; left: number }[] = [];
  const quota = { remaining: QUOTA, resetAt: Math.floor(Date.now() / 1_000) + HOUR_SECONDS };
  const settings = { mostPerPage: 100, milliseconds: 0, redeliveredStatus: 200 };
  const deliveries: FakeDelivery[] = [];
  const privateKey = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const manifests = createManifests(app, privateKey);
  const most = { atOnce: 0, changes: 0 };
  const now = { atOnce: 0, changes: 0 };

  const git = createGitHost((authorization, owner, name) => {
    const login = logins.of(asBearer(authorization));
    if (typeof login === 'string' || login.kind === 'app') return 401;
    if (!mayReach(login, owner, name)) return 404;
    const isAllowed = login.kind !== 'installation' || (login.permissions ?? app.permissions)['contents'] === 'write';
    return isAllowed ? 200 : 403;
  });

  const server = createServer((request, response) => {
    if (git.serve(request, response)) return;
    const isChange = request.method !== 'GET';
    most.atOnce = Math.max(most.atOnce, ++now.atOnce);
    if (isChange) most.changes = Math.max(most.changes, ++now.changes);
    response.on('close', () => {
      now.atOnce -= 1;
      if (isChange) now.changes -= 1;
    });
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => setTimeout(() => serve(request, response, body), settings.milliseconds));
  });
  const logs = await startLogStore(repositories);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}${prefix}`;

  function serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { method = '', headers } = request;
    const asked = new URL(request.url ?? '', url);
    const path = asked.pathname.slice(prefix.length);
    const fault = takeFault(method, path);
    if (fault?.kind === 'drop') return void response.destroy();
    if (fault?.kind === 'hang') return undefined;
    const login = logins.of(headers.authorization);
    const web = url.slice(0, url.length - prefix.length);
    const manifested = manifests.answer(method, asked, body, web);
    const answer =
      fault?.kind === 'answer' ? fault.answer : (manifested ?? answerTo(login, { method, path, asked, body }));
    const { status } = answer;
    const by = typeof login === 'string' ? null : login;
    calls.push({ method, path: `${path}${asked.search}`, body, login: by, status });
    if (fault?.kind === 'drop-after') return void response.destroy();
    if (fault?.kind === 'hang-after') return undefined;
    if (fault?.kind === 'page')
      return void response.writeHead(fault.status, { 'Content-Type': 'text/html' }).end('<html>Unicorn!</html>');
    send(response, answer, { asked, etag: headers['if-none-match'], isCut: fault?.kind === 'cut' });
  }

  function takeFault(method: string, path: string): Fault | null {
    const found = faults.find((one) => one.left > 0 && one.method === method && one.path.test(path));
    if (found === undefined) return null;
    found.left -= 1;
    return found.fault;
  }

  type Asked = { readonly method: string; readonly path: string; readonly asked: URL; readonly body: string };

  function answerTo(login: FakeLogin | string, { method, path, asked, body }: Asked): FakeAnswer {
    if (typeof login === 'string') return refusal(401, login);
    if (path === '/rate_limit') return okay({ resources: { core: quota } });
    if (quota.remaining <= 0 && quota.resetAt > Date.now() / 1_000)
      return refusal(403, 'API rate limit exceeded for user ID 1.');
    quota.remaining -= 1;
    if (path === '/user') return login.kind === 'token' ? okay({ login: login.login, id: 1 }) : notAccessible('');
    if (path === '/app') return login.kind === 'app' ? okay({ id: 7, slug: app.slug }) : notFound;
    if (path.startsWith('/app/hook/') && login.kind === 'app') return inHook(method, path, asked);
    const [, id] = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path) ?? [];
    if (id !== undefined) {
      const isKnown = [...app.installations.values()].includes(Number(id));
      if (login.kind === 'app' && app.suspended.has(Number(id)))
        return refusal(403, 'This installation has been suspended');
      return login.kind === 'app' && isKnown ? makeToken(Number(id), body) : notFound;
    }
    if (path === '/app/installations' && login.kind === 'app') return pages(installed());
    if (path === '/installation/repositories')
      return login.kind === 'installation' ? pages(repositoriesOf(login.id), 'repositories') : notAccessible('');
    const [, owner = '', name = '', below = ''] = /^\/repos\/([^/]+)\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    const repository = repositories.get(`${owner}/${name}`.toLowerCase());
    if (repository === undefined) return notFound;
    if (login.kind === 'app') {
      const installation = app.installations.get(owner);
      return below === '/installation' && installation !== undefined ? okay({ id: installation }) : notFound;
    }
    if (!mayReach(login, owner, name)) return notFound;
    return inRepository(repository, login, { method, path: below, asked, body });
  }

  function makeToken(id: number, body: string): FakeAnswer {
    const asked = (body === '' ? {} : JSON.parse(body)) as { repositories?: string[]; permissions?: Record<string, string> }; // prettier-ignore
    const names = new Set(repositoriesOf(id).map(({ full_name }) => full_name.split('/')[1]?.toLowerCase()));
    const { repositories: wanted = null, permissions = null } = asked;
    if (wanted?.some((one) => !names.has(one.toLowerCase())))
      return refusal(422, 'There is at least one repository that does not exist or is not accessible to the parent installation.'); // prettier-ignore
    if (Object.keys(permissions ?? {}).some((name) => !Object.hasOwn(app.permissions, name)))
      return refusal(422, 'The permissions requested are not granted to this installation.');
    const reach = { repositories: wanted?.map((one) => one.toLowerCase()) ?? null, permissions };
    return okay(logins.make(id, reach), 201);
  }

  /** Whether a login sees a repository at all. */
  const mayReach = (login: FakeLogin, owner: string, name: string): boolean =>
    login.kind !== 'installation' ||
    (app.installations.get(owner) === login.id && (login.repositories?.includes(name.toLowerCase()) ?? true));

  const installed = () =>
    [...app.installations].map(([login, id]) => {
      const suspended_at = app.suspended.has(id) ? new Date(0).toISOString() : null;
      return { id, account: { login }, suspended_at };
    });

  function repositoriesOf(installation: number) {
    const isIn = ({ name }: FakeRepository): boolean =>
      app.installations.get(name.split('/')[0] ?? '') === installation;
    const found = [...repositories.values()].filter(isIn);
    return found.map(({ name, archived, cloneUrl, defaultBranch }) => ({
      ...{ full_name: name, archived, default_branch: defaultBranch },
      clone_url: cloneUrl ?? `${url.slice(0, url.length - prefix.length)}/${name}.git`,
    }));
  }

  function inHook(method: string, path: string, asked: URL): FakeAnswer {
    const [, id] = /^\/app\/hook\/deliveries\/(\d+)\/attempts$/.exec(path) ?? [];
    const first = deliveries.find((one) => String(one.id) === id);
    if (method === 'POST' && first !== undefined) {
      const again = { ...first, id: first.id + 1_000, redelivery: true, delivered_at: new Date().toISOString() };
      deliveries.push({ ...again, status_code: settings.redeliveredStatus });
      return { status: 202, body: {} };
    }
    if (method !== 'GET' || path !== '/app/hook/deliveries') return notFound;
    const from = Number(asked.searchParams.get('cursor') ?? 0);
    const size = Number(asked.searchParams.get('per_page') ?? 30);
    const page = deliveries.toReversed().slice(from, from + size);
    const next = new URL(asked);
    next.searchParams.set('cursor', String(from + size));
    const headers = { Link: `<${next.href}>; rel="next"` };
    return { ...okay(page), ...(from + size < deliveries.length && { headers }) };
  }

  function inRepository(
    repository: FakeRepository,
    login: Exclude<FakeLogin, { kind: 'app' }>,
    asked: Asked,
  ): FakeAnswer {
    const route = routes.find(({ method, path }) => method === asked.method && path.test(asked.path));
    if (route === undefined) return notFound;
    if (repository.permissions !== null && !repository.permissions.includes(route.permission))
      return notAccessible(route.permission);
    if (repository.archived && asked.method !== 'GET') return refusal(403, 'Repository was archived so is read-only.');
    if (repository.issuesDisabled && asked.path.startsWith('/issues/'))
      return refusal(410, 'Issues are disabled for this repo');
    const [, ...parts] = route.path.exec(asked.path) ?? [];
    const query = asked.asked.searchParams;
    const body = asked.body === '' ? {} : (JSON.parse(asked.body) as Record<string, unknown>);
    return route.handle({ repository, login, query, body, parts, url: url.replace(prefix, ''), logsUrl: logs.url });
  }

  const notAccessible = (permission: string): FakeAnswer =>
    refusal(403, 'Resource not accessible by personal access token', {
      headers: { 'X-Accepted-GitHub-Permissions': permission },
    });

  type Sent = { readonly asked: URL; readonly etag: string | undefined; readonly isCut: boolean };

  function send(response: ServerResponse, answer: FakeAnswer, { asked, etag, isCut }: Sent): void {
    const paged = pageOf(answer, asked);
    const text = paged.body === undefined ? '' : JSON.stringify(paged.body);
    const own = `W/"${createHash('sha256').update(text).digest('hex')}"`;
    const isSame = answer.status === 200 && etag === own;
    // What is as it was costs nothing.
    if (isSame) quota.remaining += 1;
    response.writeHead(isSame ? 304 : answer.status, {
      'Content-Type': 'application/json; charset=utf-8',
      'X-GitHub-Media-Type': 'github.v3; format=json',
      'X-RateLimit-Limit': String(QUOTA),
      'X-RateLimit-Remaining': String(quota.remaining),
      'X-RateLimit-Reset': String(quota.resetAt),
      'X-RateLimit-Resource': 'core',
      ...(answer.status === 200 && { ETag: own }),
      ...paged.headers,
      ...answer.headers,
      ...(isCut && { 'Content-Length': String(text.length + 100) }),
    });
    if (!isCut) return void response.end(isSame ? undefined : text);
    response.write(text.slice(0, text.length / 2), () => response.destroy());
  }

  function pageOf({ body, all }: FakeAnswer, asked: URL): { body: unknown; headers: Record<string, string> } {
    if (all === undefined) return { body, headers: {} };
    const size = Math.min(Number(asked.searchParams.get('per_page') ?? 30), settings.mostPerPage);
    const page = Number(asked.searchParams.get('page') ?? 1);
    const last = Math.max(1, Math.ceil(all.items.length / size));
    const items = all.items.slice(size * (page - 1), size * page);
    const linkTo = (number: number, relation: string): string => {
      const target = new URL(asked);
      target.searchParams.set('page', String(number));
      return `<${target.href}>; rel="${relation}"`;
    };
    const links = page < last ? [linkTo(page + 1, 'next'), linkTo(last, 'last')] : [];
    return {
      body: all.field === undefined ? items : { total_count: all.items.length, [all.field]: items },
      headers: links.length === 0 ? {} : { Link: links.join(', ') },
    };
  }

  return {
    ...{ url, host, token, app, logins, calls, quota, settings, most, logs, deliveries, git },
    /** PEM, as GitHub hands it out. */
    privateKey,
    /** What was posted to make apps of. */
    manifests,
    addRepository: (name: string): FakeRepository => {
      const made = createFakeRepository(name);
      repositories.set(name.toLowerCase(), made);
      return made;
    },
    /** A person presses the button. @returns the status that answers it */
    mergeByPerson: async (name: string, number: number): Promise<number> => {
      const headers = { Authorization: `Bearer ${token}` };
      const asked = { method: 'PUT', headers, body: '{}' };
      return (await fetch(`${url}/repos/${name}/pulls/${number}/merge`, asked)).status;
    },
    /** So many of the next such requests go wrong. */
    fail: (method: string, path: RegExp, fault: Fault, times = 1): void =>
      void faults.push({ method, path, fault, left: times }),
    /** How often it was asked for that. */
    count: (method: string, path: RegExp): number =>
      calls.filter((call) => call.method === method && path.test(call.path)).length,
    close: async (): Promise<void> => {
      await logs.close();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export const secondaryLimit = (headers: Readonly<Record<string, string>> = {}): Fault => ({
  kind: 'answer',
  answer: refusal(403, 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.', {
    headers,
  }),
});
