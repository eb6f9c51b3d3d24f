import { z } from 'zod';
import { readSecret } from '@workledger/shared/config/load.ts';
import { hostOf } from '@workledger/shared/config/outbound.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { maskText } from '@workledger/shared/telemetry/mask.ts';
import { jsonOf, type Answer } from '@workledger/shared/outbound/exchange.ts';
import { TargetAway } from '@workledger/shared/outbound/failures.ts';
import { createOutbound, type Limit, type OutboundOptions, type Target } from '@workledger/shared/outbound/outbound.ts';
import { retryAfter } from '@workledger/shared/outbound/pace.ts';
import type { WatchedSystem } from '../watch.ts';

/** A run of Codegen's agent; all but its number may be missing. */
export const runSchema = z.looseObject({
  id: z.int(),
  status: z.string().nullish().catch(null),
  result: z.string().nullish().catch(null),
  summary: z.string().nullish().catch(null),
  web_url: z.string().nullish().catch(null),
  metadata: z.record(z.string(), z.unknown()).nullish().catch(null),
  github_pull_requests: z
    .array(
      z.looseObject({
        id: z.int().nullish().catch(null),
        url: z.string().nullish().catch(null),
        head_branch_name: z.string().nullish().catch(null),
      }),
    )
    .nullish()
    .catch(null),
});
export type CodegenRun = z.infer<typeof runSchema>;

/** Codegen does not do this, and will not do it if it is asked again. */
export class CodegenRefused extends Error {
  override name = 'CodegenRefused';
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Codegen, as one token of one organization is let in. */
export type Codegen = WatchedSystem & {
  /** US dollars of one run. */
  readonly runUsd: number;
  /** For one run. */
  readonly timeoutSeconds: number;
  /** Between two looks at a run. */
  readonly lookMilliseconds: number;
  /**
   * Asks below the organization. @param asked.idempotent the same again does no more
   * @throws CodegenRefused, and what the way out throws
   */
  ask<Schema extends z.ZodType>(
    asked: {
      readonly method: 'GET' | 'POST' | 'PATCH';
      readonly path: string;
      readonly body?: object;
      readonly idempotent?: boolean;
    },
    schema: Schema,
    signal: AbortSignal,
  ): Promise<z.infer<Schema>>;
  secrets(): readonly string[];
};

/** 60 looks in 30 s, 10 runs in a minute; it says of neither how much is left. */
const MANNERS = { atOnce: 4, everyMilliseconds: 500, changeEveryMilliseconds: 6_000 };
const LOOK_MILLISECONDS = 10_000;
/** Where it says that we are at a limit, and not until when. */
const LIMIT_MS = 60_000;

export type CodegenOptions = Partial<Omit<OutboundOptions, 'allowHosts' | 'privateHosts'>> &
  Partial<Pick<Target, 'everyMilliseconds' | 'changeEveryMilliseconds'>> & { readonly lookMilliseconds?: number };

/** Codegen as the configuration has it; null: it is not spoken to. @throws ConfigurationError */
export async function openCodegen(
  { codegen, outbound: allowed }: Pick<Configuration, 'codegen' | 'outbound'>,
  folder: string,
  { lookMilliseconds = LOOK_MILLISECONDS, ...options }: CodegenOptions = {},
): Promise<Codegen | null> {
  if (codegen === null) return null;
  const token = await readSecret(codegen.token, { place: 'codegen.token', folder });
  const base = new URL(codegen.url);
  const { everyMilliseconds, changeEveryMilliseconds, ...ofWay } = { ...MANNERS, ...options };
  const manners = { atOnce: MANNERS.atOnce, everyMilliseconds, changeEveryMilliseconds };
  const target: Target = { name: 'codegen', base, limitOf, ...manners };
  const outbound = createOutbound(target, { ...ofWay, ...allowed, allowHosts: [...allowed.allowHosts, hostOf(base)] });
  const headers = { Authorization: `Bearer ${token}` };
  const below = `/v1/organizations/${codegen.organization}`;

  return {
    ...{ runUsd: codegen.runUsd, timeoutSeconds: codegen.timeoutSeconds, lookMilliseconds },
    ...{ state: outbound.state, secrets: () => [token] },
    ask: async ({ method, path, body, idempotent = method !== 'POST' }, schema, signal) => {
      const answer = await outbound.send({ method, path: `${below}${path}`, headers, body, idempotent, signal });
      if (answer.status >= 300) throw refusalOf(answer);
      const read = schema.safeParse(jsonOf(answer.body));
      if (read.success) return read.data;
      throw new TargetAway(`codegen: an answer that cannot be read (status ${answer.status})`, {
        mayHaveHappened: method !== 'GET',
      });
    },
    check: async (signal) => {
      const answer = await outbound.send({ method: 'GET', path: '/v1/users/me', headers, signal, priority: -1 });
      if (answer.status >= 300) throw refusalOf(answer);
    },
  };
}

const limitOf = ({ status, headers }: Answer, now: number): Limit | null =>
  status === 429
    ? { until: retryAfter(headers['retry-after'], now) ?? new Date(now + LIMIT_MS), why: 'its limit is reached' }
    : null;

/** Its errors have `message`, or FastAPI's `detail`. */
const told = z.looseObject({
  message: z.string().optional().catch(undefined),
  detail: z
    .union([z.string(), z.array(z.looseObject({ loc: z.array(z.unknown()).catch([]), msg: z.string().catch('') }))])
    .optional()
    .catch(undefined),
});
const WORDS = 300;

function refusalOf({ status, body }: Answer): CodegenRefused {
  const { message, detail } = told.safeParse(jsonOf(body)).data ?? {};
  const said =
    message ??
    (typeof detail === 'string'
      ? detail
      : (detail ?? []).map(({ loc, msg }) => `${loc.map(String).join('.')}: ${msg}`).join('; '));
  const words = maskText(said).replaceAll(/\s+/g, ' ').slice(0, WORDS) || `status ${status}`;
  if (status === 402) return new CodegenRefused(`Codegen begins no more runs (${words}): its plan is used up`, status);
  if (status === 401 || status === 403)
    return new CodegenRefused(`Codegen refuses the login (${words}): see "codegen" of the configuration`, status);
  if (status === 404) return new CodegenRefused(`Codegen does not know it (${words})`, status);
  return new CodegenRefused(`Codegen refuses it (${words})`, status);
}
