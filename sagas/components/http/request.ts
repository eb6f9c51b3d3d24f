import { LRUCache } from 'lru-cache';
import { hostOf } from '@workledger/shared/config/outbound.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { callable } from '@workledger/shared/workflows/callable.ts';
import { z } from 'zod';
import { because, ComponentFailure, type Component } from '../../engine/component.ts';
import { jsonOf } from '@workledger/shared/outbound/exchange.ts';
import { LimitReached, NotAllowed, TargetAway } from '@workledger/shared/outbound/failures.ts';
import { createOutbound, type Outbound } from '@workledger/shared/outbound/outbound.ts';

const NAME = 'http.request';
const { request: requestSchema } = callable[NAME];
const KEPT = 500;
const AT_ONCE = 8;
/** Characters of JSON of an answer: it stands in an event. */
const LONGEST_ANSWER = 100_000;

/**
 * Calls a server that is configured for it, on the one way out. The same step calls under the same `Idempotency-Key`, whoever dies.
 * An answer of status 400 or more is a failure; one of 408, 429 or 500 and more may pass.
 */
export function createHttpRequest({ outbound, workflows }: Pick<Configuration, 'outbound' | 'workflows'>): Component {
  const ways = new LRUCache<string, Outbound>({ max: KEPT });
  const wayTo = (base: URL): Outbound => {
    const known = ways.get(base.origin);
    if (known !== undefined) return known;
    const target = {
      name: hostOf(base),
      base,
      atOnce: AT_ONCE,
      changesAtOnce: AT_ONCE,
      idempotencyHeader: 'Idempotency-Key',
    };
    const { privateHosts } = outbound;
    const way = createOutbound(target, { allowHosts: workflows.allowHosts, privateHosts });
    ways.set(base.origin, way);
    return way;
  };

  const perform = async (given: unknown, { key, signal }: { key: string; signal: AbortSignal }): Promise<unknown> => {
    const parsed = requestSchema.safeParse(given);
    if (!parsed.success) throw fail(`its request is not what it takes: ${z.prettifyError(parsed.error)}`, false);
    const { method, url: address, body } = parsed.data;
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url === null || url.username !== '' || url.password !== '') throw fail('this is no address', false);
    // A host that may be private is no host that workflows may call.
    if (!workflows.allowHosts.some((host) => host.toLowerCase() === hostOf(url)))
      throw fail(`${hostOf(url)} is none of the hosts that workflows may call ("workflows.allowHosts")`, false);
    const sent = { method, path: `${url.pathname}${url.search}`, key: derivedId(entryOf(key)), signal } as const;
    try {
      const answer = await wayTo(new URL(url.origin)).send({ ...sent, ...(body !== undefined && { body }) });
      return resultOf(answer);
    } catch (error) {
      if (error instanceof NotAllowed) throw fail(error.message, false);
      if (error instanceof LimitReached || error instanceof TargetAway) throw fail(error.message, true);
      throw error;
    }
  };
  return { name: NAME, perform };
}

/** Of the key of an attempt: the same for all of one entry into a step. */
const entryOf = (key: string): string => key.slice(0, key.lastIndexOf('/'));

function resultOf({ status, body }: { readonly status: number; readonly body: Buffer }): unknown {
  const text = body.toString('utf8');
  if (status >= 300)
    throw fail(`it answers ${status}: ${text.slice(0, 500)}`, status === 408 || status === 429 || status >= 500);
  if (text.length > LONGEST_ANSWER) throw fail(`its answer has more than ${LONGEST_ANSWER} bytes`, false);
  const json = text === '' ? null : jsonOf(body);
  return { status, body: json === undefined ? text.toWellFormed().replaceAll('\u0000', '\uFFFD') : json };
}

const fail = (reason: string, retryable: boolean): ComponentFailure =>
  new ComponentFailure(because(NAME, reason), { retryable, fault: 'work' });
