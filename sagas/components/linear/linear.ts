import { z } from 'zod';
import { hostOf } from '@workledger/shared/config/outbound.ts';
import { readSecret } from '@workledger/shared/config/load.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { jsonOf, type Answer } from '@workledger/shared/outbound/exchange.ts';
import { LimitReached } from '@workledger/shared/outbound/failures.ts';
import {
  createOutbound,
  type Limit,
  type OutboundOptions,
  type OutboundState,
  type Target,
} from '@workledger/shared/outbound/outbound.ts';
import { Refused, type Stage } from '../replies/refused.ts';

export type Linear = {
  /** Asks by GraphQL. @param idempotent the same again does no more @throws Refused, and what the way out throws */
  ask<Schema extends z.ZodType>(
    query: string,
    variables: object,
    schema: Schema,
    options: { readonly signal: AbortSignal; readonly idempotent: boolean },
  ): Promise<z.infer<Schema>>;
  readonly states: { readonly [Name in Stage]?: string | undefined };
  /** @throws when Linear does not answer, or refuses the login */
  check(signal: AbortSignal): Promise<void>;
  state(): OutboundState;
  secrets(): readonly string[];
};

const MANNERS = { atOnce: 4, everyMilliseconds: 50, changeEveryMilliseconds: 50 };

export type LinearOptions = Partial<Omit<OutboundOptions, 'allowHosts' | 'privateHosts'>>;

const envelope = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        message: z.string().catch(''),
        extensions: z
          .object({ code: z.string(), type: z.string(), userPresentableMessage: z.string() })
          .partial()
          .nullish()
          .catch(null),
      }),
    )
    .nullish()
    .catch(null),
});
type Fault = NonNullable<z.infer<typeof envelope>['errors']>[number];

/** Linear as the configuration has it; null: it is not spoken to. @throws ConfigurationError */
export async function openLinear(
  { linear, outbound: allowed }: Pick<Configuration, 'linear' | 'outbound'>,
  folder: string,
  options: LinearOptions = {},
): Promise<Linear | null> {
  if (linear === null) return null;
  const token = await readSecret(linear.token, { place: 'linear.token', folder });
  const base = new URL(linear.url);
  const target: Target = { name: 'linear', base, limitOf, ...MANNERS };
  const outbound = createOutbound(target, {
    ...allowed,
    ...options,
    allowHosts: [...allowed.allowHosts, hostOf(base)],
  });
  // A personal key stands alone: https://linear.app/developers/graphql
  const headers = { Authorization: token.startsWith('lin_api_') ? token : `Bearer ${token}` };

  const ask: Linear['ask'] = async (query, variables, schema, { signal, idempotent }) => {
    const body = { query, variables };
    const answer = await outbound.send({ method: 'POST', path: '/graphql', headers, body, signal, idempotent });
    const told = envelope.safeParse(jsonOf(answer.body)).data;
    const [fault] = told?.errors ?? [];
    if (fault !== undefined) throw refusalOf(fault, answer);
    if (answer.status === 401)
      throw refusalOf({ message: 'status 401', extensions: { type: 'authentication error' } }, answer);
    const data = schema.safeParse(told?.data);
    if (answer.status < 300 && data.success) return data.data;
    throw new Refused('unreadable', `Linear's answer cannot be read (status ${answer.status})`, { passing: true });
  };
  return {
    ...{ ask, states: linear.states, state: outbound.state, secrets: () => [token] },
    check: async (signal) => {
      await ask('query { viewer { id } }', {}, z.unknown(), { signal, idempotent: true });
    },
  };
}

const LIMIT_MS = 60_000;
/** Where it says that we are at its end, and no time. */
const inAWhile = (now: number): Limit => ({ until: new Date(now + LIMIT_MS), why: 'its limit is reached' });

/** Requests and complexity have a bucket each; times are milliseconds. https://linear.app/developers/rate-limiting */
function limitOf({ status, headers, body }: Answer, now: number): Limit | null {
  for (const of of ['requests', 'complexity']) {
    const header = (name: string): string => [headers[`x-ratelimit-${of}-${name}`] ?? ''].flat()[0] ?? '';
    const reset = Number(header('reset'));
    if (header('remaining') === '0' && reset > now)
      return { until: new Date(reset), why: `its limit of ${of} is used up` };
  }
  return status >= 400 && body.includes('RATELIMITED') ? inAWhile(now) : null;
}

/** Linear's words for what another try may mend. */
const PASSING = /internal|network|lock|bootstrap|timeout|unknown/i;

function refusalOf({ message, extensions }: Fault, answer: Answer): Error {
  const { code = '', type = '', userPresentableMessage } = extensions ?? {};
  const words = (userPresentableMessage ?? message).replaceAll(/\s+/g, ' ').slice(0, 500);
  if (code === 'RATELIMITED' || type === 'ratelimited') {
    const { until, why } = limitOf(answer, Date.now()) ?? inAWhile(Date.now());
    return new LimitReached(`linear: ${why}`, until);
  }
  if (/auth/i.test(`${code} ${type}`))
    return new Refused('login', `Linear refuses the login (${words}): give "linear" a token that is valid`);
  if (/entity not found|could not find/i.test(`${message} ${words}`))
    return new Refused('not-found', `Linear does not find it (${words})`);
  return new Refused(code === '' ? type : code, `Linear refuses it (${words})`, { passing: PASSING.test(type) });
}
