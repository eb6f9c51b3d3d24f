import { LRUCache } from 'lru-cache';
import { hostOf, webAddressOf } from '@workledger/shared/config/outbound.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import type { Installed } from '@workledger/shared/contexts/sync/configuration/events.ts';
import type { Answer } from '@workledger/shared/outbound/exchange.ts';
import { createFollower } from '@workledger/shared/outbound/follow.ts';
import {
  createOutbound,
  type Asked,
  type OutboundOptions,
  type OutboundState,
  type Target,
} from '@workledger/shared/outbound/outbound.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { GITHUB_HEADERS, readAnswer } from './answers.ts';
import { createAuthentication, readCredentials, type Credentials } from './authentication.ts';
import { createGitToken, type GitToken } from './git-token.ts';
import { listInstalled } from './installed.ts';
import { createGithubLimits } from './limits.ts';
import { z } from 'zod';

export type GithubAsked = Omit<Asked, 'headers' | 'path'> & {
  /** `owner/name`, as the registration has it. */
  readonly repository: string;
  /** Below `/repos/<owner>/<name>`, or a whole address that GitHub named. */
  readonly path: string;
};

/** GitHub, as one login of it is let in. */
export type Github = {
  /** It may make check runs: only apps may. */
  readonly isApp: boolean;
  /** The answer, whatever status below 500 it has. @throws what the way out throws */
  ask(asked: GithubAsked): Promise<Answer>;
  /** The end of what an answer sends us to, without our login. @throws what the way out throws */
  follow(answer: Answer, signal: AbortSignal): Promise<Buffer>;
  /** How those are to whom answers send us, all together. */
  readonly logs: { state(): OutboundState };
  /** As the login itself, about no repository; the answer, whatever status below 500 it has. */
  askAsLogin(method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<Answer>;
  /** Of an app, the repositories that it may work in; null: a token is no app. @param of of whom alone; default: of all */
  installed(signal: AbortSignal, of?: readonly string[]): Promise<Installed | null>;
  /** Of an app, what lets git in at the repository's address on this GitHub. @throws ComponentFailure @throws Postponed */
  readonly gitToken: GitToken;
  /** What is left of the hour's quota, from none (0) to all (1), as the newest answer tells; null: none has told. */
  quotaLeft(): number | null;
  /** What the login's comments are signed with. */
  login(signal: AbortSignal): Promise<string>;
  /** Costs nothing of the quota. @throws when GitHub does not answer, or refuses the login */
  check(signal: AbortSignal): Promise<void>;
  state(): OutboundState;
  /** What nothing that is kept or said may hold. */
  secrets(): readonly string[];
};

/** Concurrency and pace that GitHub asks for: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api */
const MANNERS = { atOnce: 8, everyMilliseconds: 70, changeEveryMilliseconds: 1_000 };
/** Of a log's end, what is looked at for what failed. */
const LOG_BYTES = 200_000;
const KEPT_ANSWERS = 500;
const KEPT_BYTES = 10_000_000;

export type GithubOptions = Partial<Omit<OutboundOptions, 'allowHosts' | 'privateHosts'>> &
  Partial<Pick<Target, 'everyMilliseconds' | 'changeEveryMilliseconds'>>;

/**
 * GitHub as the configuration has it; null: it is not spoken to.
 * @param folder where relative files of secrets start @throws ConfigurationError
 */
export async function openGithub(
  { github, outbound }: Pick<Configuration, 'github' | 'outbound'>,
  folder: string,
  options: GithubOptions = {},
): Promise<Github | null> {
  if (github === null) return null;
  const { url, logHosts } = github;
  return createGithub(new URL(url), await readCredentials(github, folder), { ...outbound, logHosts, ...options });
}

type Known = { readonly etag: string; readonly answer: Answer };

type Opened = GithubOptions & Configuration['outbound'] & { readonly logHosts: readonly string[] };

function createGithub(base: URL, credentials: Credentials, options: Opened): Github {
  const target: Target = { name: 'github', base, limitOf: createGithubLimits(), ...MANNERS, ...options };
  const outbound = createOutbound(target, { ...options, allowHosts: [...options.allowHosts, hostOf(base)] });
  const hosts = [...options.logHosts, hostOf(base)];
  const logs = createFollower({ ...options, name: "GitHub's log", hosts, lastBytes: LOG_BYTES });
  const authentication = createAuthentication(credentials, outbound);
  const known = new LRUCache<string, Known>({
    max: KEPT_ANSWERS,
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ answer }) => Math.max(1, answer.body.length),
  });
  let login: Promise<string> | null = null;
  let left: number | null = null;

  async function sendHeard(asked: Asked): Promise<Answer> {
    const answer = await outbound.send(asked);
    const of = (name: string): number => Number(answer.headers[`x-ratelimit-${name}`] ?? NaN);
    const share = of('remaining') / of('limit');
    // Once its hour is over, all of it is there again.
    if (Number.isFinite(share)) left = of('reset') * 1_000 < Date.now() ? null : share;
    return answer;
  }

  async function send({ repository, path, ...asked }: GithubAsked, etag: string | null): Promise<Answer> {
    const authorization = await authentication.authorization(repository, asked.signal);
    return sendHeard({
      ...asked,
      path: path.startsWith('/') || path === '' ? `/repos/${repository}${path}` : path,
      headers: { ...GITHUB_HEADERS, Authorization: authorization, ...(etag !== null && { 'If-None-Match': etag }) },
    });
  }

  /** What is as it was costs nothing of the quota. */
  async function sendKnowing(asked: GithubAsked): Promise<Answer> {
    if (asked.method !== 'GET') return send(asked, null);
    const key = `${asked.repository} ${asked.path}`;
    const before = known.get(key);
    const answer = await send(asked, before?.etag ?? null);
    if (answer.status === 304 && before !== undefined) return before.answer;
    const { etag } = answer.headers;
    if (answer.status === 200 && etag !== undefined) known.set(key, { etag, answer });
    return answer;
  }

  async function findLogin(): Promise<string> {
    const path = authentication.isApp ? '/app' : '/user';
    const answer = await sendOwn(path, timeoutSignal(60_000));
    if (authentication.isApp)
      return `${readAnswer('github', answer, z.object({ slug: z.string() }), 'GitHub').slug}[bot]`;
    return readAnswer('github', answer, z.object({ login: z.string() }), 'GitHub').login;
  }

  const sendOwn = async (
    path: string,
    signal: AbortSignal,
    { priority = 0, method = 'GET' }: Partial<Pick<Asked, 'priority' | 'method'>> = {},
  ): Promise<Answer> => {
    const headers = { ...GITHUB_HEADERS, Authorization: await authentication.own() };
    return sendHeard({ method, path, headers, signal, priority });
  };

  return {
    isApp: authentication.isApp,
    state: outbound.state,
    secrets: authentication.secrets,
    follow: logs.follow,
    logs: { state: logs.state },
    askAsLogin: (method, path, signal) => sendOwn(path, signal, { method }),
    quotaLeft: () => left,
    gitToken: createGitToken(webAddressOf(base.href), authentication),
    installed: async (signal, of) => {
      const { ofInstallation } = authentication;
      if (ofInstallation === null) return null;
      return listInstalled(async (installation, path) => {
        const authorization = await (installation === null ? authentication.own() : ofInstallation(installation));
        return sendHeard({ method: 'GET', path, headers: { ...GITHUB_HEADERS, Authorization: authorization }, signal });
      }, of);
    },
    ask: async (asked) => {
      const answer = await sendKnowing(asked);
      // A token that was withdrawn before its time: another one may do.
      return answer.status === 401 && authentication.renew(asked.repository) ? sendKnowing(asked) : answer;
    },
    login: (signal) => {
      login ??= findLogin().catch((error: unknown) => {
        login = null;
        throw error;
      });
      return login.finally(() => signal.throwIfAborted());
    },
    check: async (signal) => {
      // Of an app, what needs no installation; either counts for no limit.
      const answer = await sendOwn(authentication.isApp ? '/app' : '/rate_limit', signal, { priority: -1 });
      // GitHub Enterprise Server without limits has none to tell.
      if (answer.status !== 404) readAnswer('github', answer, z.unknown(), 'GitHub');
    },
  };
}
