import { z } from 'zod';
import { hostOf } from '@workledger/shared/config/outbound.ts';
import { readSecret } from '@workledger/shared/config/load.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { jsonOf } from '@workledger/shared/outbound/exchange.ts';
import {
  createOutbound,
  type OutboundOptions,
  type OutboundState,
  type Target,
} from '@workledger/shared/outbound/outbound.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { Refused, type Stage } from '../replies/refused.ts';

export type Slack = {
  /** Looks. @throws Refused, and what the way out throws */
  get<Schema extends z.ZodType>(
    method: string,
    query: Readonly<Record<string, string>>,
    schema: Schema,
    signal: AbortSignal,
  ): Promise<z.infer<Schema>>;
  /** Changes something. @param idempotent the same again does no more @throws Refused, and what the way out throws */
  post<Schema extends z.ZodType>(
    method: string,
    body: object,
    schema: Schema,
    options: { readonly signal: AbortSignal; readonly idempotent: boolean },
  ): Promise<z.infer<Schema>>;
  /** Who we are there. */
  self(signal: AbortSignal): Promise<Self>;
  readonly reactions: { readonly [Name in Stage]?: string | undefined };
  /** @throws when Slack does not answer, or refuses the login */
  check(signal: AbortSignal): Promise<void>;
  state(): OutboundState;
  secrets(): readonly string[];
};

type Self = { readonly user: string; readonly bot: string | null };

/** About one message a second in a channel: https://docs.slack.dev/apis/web-api/rate-limits */
const MANNERS = { atOnce: 4, everyMilliseconds: 50, changeEveryMilliseconds: 1_000 };

export type SlackOptions = Partial<Omit<OutboundOptions, 'allowHosts' | 'privateHosts'>> &
  Partial<Pick<Target, 'everyMilliseconds' | 'changeEveryMilliseconds'>>;

const answer = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  needed: z.string().optional(),
});
const self = z.object({ user_id: z.string(), bot_id: z.string().nullish() });

/** Slack as the configuration has it; null: it is not spoken to. @throws ConfigurationError */
export async function openSlack(
  { slack, outbound: allowed }: Pick<Configuration, 'slack' | 'outbound'>,
  folder: string,
  options: SlackOptions = {},
): Promise<Slack | null> {
  if (slack === null) return null;
  const token = await readSecret(slack.token, { place: 'slack.token', folder });
  const base = new URL(slack.url);
  const { everyMilliseconds, changeEveryMilliseconds } = { ...MANNERS, ...options };
  const target: Target = { name: 'slack', base, atOnce: MANNERS.atOnce, everyMilliseconds, changeEveryMilliseconds };
  const allowHosts = [...allowed.allowHosts, hostOf(base)];
  const outbound = createOutbound(target, { ...allowed, ...options, allowHosts });
  const headers = { Authorization: `Bearer ${token}` };
  let known: Promise<Self> | null = null;

  function read<Schema extends z.ZodType>(method: string, status: number, body: Buffer, schema: Schema) {
    const json = jsonOf(body);
    const told = answer.safeParse(json);
    if (!told.success)
      throw new Refused('unreadable', `Slack's answer to ${method} cannot be read (status ${status})`, {
        passing: true,
      });
    if (!told.data.ok) throw refusalOf(method, told.data);
    const data = schema.safeParse(json);
    if (data.success) return data.data;
    throw new Refused('unreadable', `Slack's answer to ${method} cannot be read`, { passing: true });
  }

  const get: Slack['get'] = async (method, query, schema, signal) => {
    const path = `/${method}?${new URLSearchParams(query).toString()}`;
    const { status, body } = await outbound.send({ method: 'GET', path, headers, signal });
    return read(method, status, body, schema);
  };
  const post: Slack['post'] = async (method, body, schema, { signal, idempotent }) => {
    const sent = await outbound.send({ method: 'POST', path: `/${method}`, headers, body, signal, idempotent });
    return read(method, sent.status, sent.body, schema);
  };
  const findSelf = async (signal: AbortSignal): Promise<Self> => {
    const { user_id: user, bot_id: bot = null } = await get('auth.test', {}, self, signal);
    return { user, bot };
  };
  return {
    ...{ get, post, reactions: slack.reactions, state: outbound.state, secrets: () => [token] },
    self: (signal) => {
      known ??= findSelf(timeoutSignal(60_000)).catch((error: unknown) => {
        known = null;
        throw error;
      });
      return known.finally(() => signal.throwIfAborted());
    },
    check: async (signal) => void (await findSelf(signal)),
  };
}

/** Slack is in trouble itself: https://docs.slack.dev/reference/methods/chat.postMessage#errors */
const PASSING = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'ratelimited',
  'rate_limited',
  'team_added_to_org',
]);
const LOGIN = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'access_denied',
  'no_permission',
]);

function refusalOf(method: string, { error = 'unknown', needed }: z.infer<typeof answer>): Refused {
  const said = `Slack refuses ${method} (${error})`;
  if (PASSING.has(error)) return new Refused(error, said, { passing: true });
  if (LOGIN.has(error)) return new Refused(error, `${said}: give "slack" a bot token that is valid`);
  if (error === 'missing_scope') return new Refused(error, `${said}: give the app the scope ${needed ?? 'it needs'}`);
  if (error === 'not_in_channel' || error === 'channel_not_found')
    return new Refused(error, `${said}: invite the app to the channel`);
  return new Refused(error, said);
}
