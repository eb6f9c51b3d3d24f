import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { ConfigurationError } from '@workledger/shared/config/faults.ts';
import { readSecret } from '@workledger/shared/config/load.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf } from '../failures.ts';
import type { Answer } from '@workledger/shared/outbound/exchange.ts';
import type { Outbound } from '@workledger/shared/outbound/outbound.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { GITHUB_HEADERS, readAnswer } from './answers.ts';
import { refusalOf } from './classify.ts';

export type Credentials = { readonly token: string } | { readonly appId: string; readonly key: KeyObject };

type Configured = NonNullable<Configuration['github']>;

/** What the configuration names, read. @param folder where relative files start @throws ConfigurationError */
export async function readCredentials({ token, app }: Configured, folder: string): Promise<Credentials> {
  if (app === null) {
    if (token === null) throw new ConfigurationError('github', ['neither token nor app → give one of them']);
    return { token: await readSecret(token, { place: 'github.token', folder }) };
  }
  return {
    appId: String(app.id),
    key: privateKey(await readSecret(app.key, { place: 'github.app.key', folder })),
  };
}

function privateKey(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // The words of the parser may hold parts of it.
  }
  throw new ConfigurationError('github.app.key', ['no RSA private key → use the .pem file that GitHub handed out']);
}

export type Authentication = {
  readonly isApp: boolean;
  /** For what is asked about a repository (`owner/name`). */
  authorization(repository: string, signal: AbortSignal): Promise<string>;
  /** What was refused is not used again. @returns false: there is no other */
  renew(repository: string): boolean;
  /** For what is asked about the login itself. */
  own(): Promise<string>;
  /** Of an app: for what is asked as one of its installations. Null: it has none. */
  readonly ofInstallation: ((id: number) => Promise<string>) | null;
  /** Of an app: a token for git in one repository, and in no other. Null: it has none. */
  readonly forGit: ((asked: AskedForGit) => Promise<string>) | null;
  /** What it holds and fetched: nothing of it may be said. */
  secrets(): readonly string[];
};

export type AskedForGit = {
  /** `owner/name`, as addresses have it. */
  readonly repository: string;
  /** Whether it may push workflows of Actions, where the app may. */
  readonly workflows: boolean;
  /** What no longer does; null: nothing is known of it. */
  readonly refused: string | null;
  readonly signal: AbortSignal;
};

/** A token as it is, or what an app has in its place. */
export function createAuthentication(credentials: Credentials, outbound: Outbound): Authentication {
  if (!('token' in credentials)) return createAppAuthentication(credentials, outbound);
  const header = `Bearer ${credentials.token}`;
  return {
    isApp: false,
    authorization: () => Promise.resolve(header),
    renew: () => false,
    own: () => Promise.resolve(header),
    ofInstallation: null,
    forGit: null,
    secrets: () => [credentials.token],
  };
}

const STEP = 'github';
/** Seconds: GitHub takes no JWT that is valid for more than 600, and clocks differ. */
const JWT_SECONDS = 540;
const BACKDATED_SECONDS = 60;
/** An installation's token is renewed so long before its end. */
const MARGIN_MS = 60_000;
/** For what is fetched once for all who wait for it: it does not end with any of them. */
const FETCH_MS = 60_000;

const installation = z.object({ id: z.int() });
const accessToken = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) });
type Minted = { readonly token: string; readonly expiresAt: number };

/** The token of the app's installation where the repository is: kept until a minute before its end, fetched once for all. */
function createAppAuthentication(
  app: Extract<Credentials, { readonly key: KeyObject }>,
  outbound: Outbound,
): Authentication {
  const installations = new Map<string, Promise<number>>();
  const tokens = new Map<number, Promise<Minted>>();
  const gitTokens = new Map<string, Promise<Minted>>();
  /** What was made, until its end. */
  const live = new Map<string, number>();

  async function own(): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const jwt = new SignJWT().setProtectedHeader({ alg: 'RS256', typ: 'JWT' }).setIssuer(app.appId);
    return `Bearer ${await jwt
      .setIssuedAt(now - BACKDATED_SECONDS)
      .setExpirationTime(now + JWT_SECONDS)
      .sign(app.key)}`;
  }

  async function asApp(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    const headers = { ...GITHUB_HEADERS, Authorization: await own() };
    // One token more than is used does no harm.
    return outbound.send({ method, path, headers, body, signal: timeoutSignal(FETCH_MS), idempotent: true });
  }

  async function find(repository: string): Promise<number> {
    const answer = await asApp('GET', `/repos/${repository}/installation`);
    if (answer.status === 404) {
      const reason = `the GitHub App is not installed for ${repository}: install it there, or correct "github" of the repository`;
      throw new ComponentFailure(failureOf(STEP, reason), { retryable: false, fault: 'origin' });
    }
    return readAnswer(STEP, answer, installation, repository).id;
  }

  const mint = async (id: number, about: string): Promise<Minted> =>
    minted(await asApp('POST', `/app/installations/${id}/access_tokens`), about);

  function minted(answer: Answer, about: string): Minted {
    const { token, expires_at } = readAnswer(STEP, answer, accessToken, about);
    const expiresAt = Date.parse(expires_at);
    for (const [known, endsAt] of live) if (endsAt < Date.now()) live.delete(known);
    live.set(token, expiresAt);
    return { token, expiresAt };
  }

  /** Good for one repository, and for what git does there. */
  async function mintForGit({ repository, workflows }: AskedForGit): Promise<Minted> {
    const id = await installationOf(repository);
    const ask = (permissions: object): Promise<Answer> =>
      asApp('POST', `/app/installations/${id}/access_tokens`, {
        repositories: [decodeURIComponent(repository.slice(repository.indexOf('/') + 1))],
        permissions: { contents: 'write', ...permissions },
      });
    const first = await ask(workflows ? { workflows: 'write' } : {});
    // An app without that permission pushes all but workflows.
    const answer = workflows && first.status === 422 ? await ask({}) : first;
    if (answer.status !== 422) return minted(answer, repository);
    const reason = `the GitHub App may not push to ${repository} (${refusalOf(answer).words}): let its installation have that repository, with the permission contents: write`;
    throw new ComponentFailure(failureOf(STEP, reason), { retryable: false, fault: 'origin' });
  }

  async function gitToken(asked: AskedForGit): Promise<string> {
    const { repository, workflows, refused } = asked;
    const make = (): Promise<Minted> => orAnew(repository, mintForGit(asked));
    return kept(gitTokens, `${repository.toLowerCase()} ${workflows}`, make, refused);
  }

  /** Where there is no token any more, it may be installed anew, as another installation. */
  const orAnew = <Value>(repository: string, made: Promise<Value>): Promise<Value> =>
    made.catch((error: unknown) => {
      installations.delete(repository.toLowerCase());
      throw error;
    });

  const installationOf = (repository: string): Promise<number> =>
    once(installations, repository.toLowerCase(), () => find(repository));

  const tokenFor = async (repository: string): Promise<string> =>
    orAnew(repository, tokenOf(await installationOf(repository), repository));

  const tokenOf = (id: number, about: string): Promise<string> => kept(tokens, id, () => mint(id, about));

  return {
    isApp: true,
    own,
    ofInstallation: async (id) => `Bearer ${await tokenOf(id, `installation ${id}`)}`,
    forGit: (asked) => unlessAborted(gitToken(asked), asked.signal),
    authorization: async (repository, signal) => `Bearer ${await unlessAborted(tokenFor(repository), signal)}`,
    renew: (repository) => {
      const known = installations.get(repository.toLowerCase());
      installations.delete(repository.toLowerCase());
      void known?.then((id) => tokens.delete(id)).catch(() => undefined);
      return true;
    },
    secrets: () => [...live.keys()],
  };
}

/** A token until a minute before its end, made once for all who wait. @param refused is not used again */
async function kept<Key>(
  tokens: Map<Key, Promise<Minted>>,
  key: Key,
  make: () => Promise<Minted>,
  refused: string | null = null,
): Promise<string> {
  const before = tokens.get(key);
  const known = await before?.catch(() => null);
  if (known && known.token !== refused && known.expiresAt - MARGIN_MS > Date.now()) return known.token;
  // Whoever sees first that it ends has it renewed for all; a fresh one is used, however short its life.
  if (tokens.get(key) === before) tokens.delete(key);
  return (await once(tokens, key, make)).token;
}

/** Made by the first who asks; what failed is made anew for the next. */
function once<Key, Value>(known: Map<Key, Promise<Value>>, key: Key, make: () => Promise<Value>): Promise<Value> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  made.catch(() => known.get(key) === made && known.delete(key));
  return made;
}

/** Whoever gives up goes; the others wait on. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
