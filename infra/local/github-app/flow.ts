import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalOf } from '@workledger/sagas/components/github/classify.ts';
import { jsonOf } from '@workledger/shared/outbound/exchange.ts';
import { hashSecret, secretMatches } from '@workledger/shared/security/api-key.ts';
import { createOutbound } from '@workledger/shared/outbound/outbound.ts';
import { hostOf, webAddressOf } from '@workledger/shared/config/outbound.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { z } from 'zod';
import { manifestOf } from './manifest.ts';
import { problemPage, startPage } from './pages.ts';

const made = z.object({
  id: z.int().positive(),
  slug: z.string().regex(/^[\w-]{1,100}$/),
  html_url: z.url({ protocol: /^https?$/ }),
  pem: z.string().min(1),
  webhook_secret: z.string().min(1),
});
export type MadeApp = z.infer<typeof made>;

export type FlowOptions = {
  /** Of GitHub's API. */
  readonly api: string;
  readonly organization: string | null;
  readonly publicUrl: string;
  readonly privateHosts: readonly string[];
  /** Keeps what GitHub made, before the person is sent on. */
  readonly keep: (app: MadeApp) => Promise<void>;
  readonly now?: () => number;
};

/** GitHub forgets a code after that, too. */
const STATE_MILLISECONDS = 3_600_000;

class Refused extends Error {
  readonly status: number;
  constructor(status: number, words: string) {
    super(words);
    this.status = status;
  }
}

/**
 * Serves, for this machine alone, a page with one button that has GitHub make an app, and takes what GitHub answers.
 * Source: https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
 */
export async function startAppFlow({ api, organization, publicUrl, privateHosts, keep, now = Date.now }: FlowOptions) {
  const base = new URL(api);
  const outbound = createOutbound({ name: 'github', base }, { allowHosts: [hostOf(base)], privateHosts });
  const web = webAddressOf(api);
  /** One for each page that was shown; null: it was used. */
  const states = new Map<string, number | null>();
  let finish: (app: MadeApp) => void = () => undefined;
  const finished = new Promise<MadeApp>((resolve) => (finish = resolve));

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      const status = error instanceof Refused ? error.status : 500;
      send(response, status, problemPage(oneLine(error)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}/`;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Another name that was made to stand for this machine reads nothing here.
    if (request.headers.host !== host) throw new Refused(403, `this page is at ${url} only`);
    const asked = new URL(request.url ?? '/', url);
    if (request.method !== 'GET') throw new Refused(405, 'there is nothing to send here');
    if (asked.pathname === '/callback') {
      const app = await convert(asked.searchParams);
      await keep(app);
      response.writeHead(303, { Location: `${app.html_url}/installations/new`, 'Cache-Control': 'no-store' }).end();
      return finish(app);
    }
    if (asked.pathname !== '/') throw new Refused(404, 'there is no such page here');
    const state = randomBytes(32).toString('base64url');
    states.set(state, now() + STATE_MILLISECONDS);
    const path = organization === null ? '' : `/organizations/${encodeURIComponent(organization)}`;
    send(
      response,
      200,
      startPage(`${web}${path}/settings/apps/new?state=${state}`, manifestOf(publicUrl, `${url}callback`)),
    );
  }

  /** The state is looked at in constant time, and used up whatever comes of it. */
  function take(given: string): void {
    let found: string | null = null;
    for (const state of states.keys()) if (secretMatches(given, hashSecret(state))) found = state;
    if (found === null) throw new Refused(400, 'this answer does not belong to a page that was opened here');
    const until = states.get(found) ?? null;
    states.set(found, null);
    if (until === null) throw new Refused(410, 'this answer was used already');
    if (until < now()) throw new Refused(410, 'this answer came more than an hour late');
  }

  async function convert(query: URLSearchParams): Promise<MadeApp> {
    take(query.get('state') ?? '');
    const code = query.get('code') ?? '';
    if (!/^[\w-]{1,200}$/.test(code)) throw new Refused(400, 'GitHub sent no code: the app was not made');
    const answer = await outbound.send({
      ...{ method: 'POST', path: `/app-manifests/${code}/conversions`, signal: timeoutSignal(60_000) },
      headers: { Accept: 'application/vnd.github+json', 'X-GitHub-Api-Version': '2022-11-28' },
    });
    if (answer.status >= 300) {
      const { words } = refusalOf(answer);
      throw new Refused(502, `GitHub refuses the code (${words === '' ? `status ${answer.status}` : words})`);
    }
    const { data } = made.safeParse(jsonOf(answer.body));
    // What it holds is not told: there are secrets in it.
    if (data === undefined) throw new Refused(502, 'GitHub answers something else than an app');
    if (new URL(data.html_url).origin !== new URL(web).origin) throw new Refused(502, 'GitHub names an app elsewhere');
    return data;
  }

  return {
    url,
    finished,
    close: (): Promise<void> => {
      server.closeIdleConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const send = (response: ServerResponse, status: number, html: string): void =>
  void response
    .writeHead(status, {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
    })
    .end(html);
