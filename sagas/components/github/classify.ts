import { z } from 'zod';
import type { Fault } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure, Postponed } from '../../engine/component.ts';
import { failureOf } from '../failures.ts';
import { jsonOf, type Answer } from '@workledger/shared/outbound/exchange.ts';
import { LimitReached, NotAllowed, TargetAway } from '@workledger/shared/outbound/failures.ts';

/** An error as GitHub tells it; of what it sends, all may be missing. */
const told = z.object({
  message: z.string().catch(''),
  errors: z
    .array(
      z.union([
        z.string(),
        z.object({
          resource: z.string().optional().catch(undefined),
          field: z.string().optional().catch(undefined),
          code: z.string().optional().catch(undefined),
          message: z.string().nullish().catch(undefined),
        }),
      ]),
    )
    .catch([]),
});

export type Refusal = {
  readonly status: number;
  /** All that it says, in one line. */
  readonly words: string;
  /** The permission that would do, as GitHub names it; null: it does not say. */
  readonly permissions: string | null;
};

const WORDS = 500;

/** What GitHub says of a request that it refuses; a page of some proxy on the way says nothing. */
export function refusalOf({ status, headers, body }: Answer): Refusal {
  const { message, errors } = told.safeParse(jsonOf(body)).data ?? { message: '', errors: [] };
  const details = errors.map((error) =>
    typeof error === 'string'
      ? error
      : (error.message ?? [error.resource, error.field, error.code].filter((part) => part !== undefined).join(' ')),
  );
  const words = [message, ...details]
    .filter((part) => part !== '')
    .join(': ')
    .replaceAll(/\s+/g, ' ');
  const permissions = headers['x-accepted-github-permissions'];
  return {
    status,
    words: words.slice(0, WORDS),
    permissions: typeof permissions === 'string' && permissions !== '' ? permissions.slice(0, WORDS) : null,
  };
}

type Classified = { readonly reason: string; readonly retryable: boolean; readonly fault: Fault };
const forGood = (fault: Fault, reason: string): Classified => ({ reason, fault, retryable: false });
const passing = (fault: Fault, reason: string): Classified => ({ reason, fault, retryable: true });

/**
 * What a refusal means: for good or passing, whose fault, and how to mend it. GitHub is the origin of its repositories: what it does
 * not allow is the origin's, what it finds wrong with what was sent is the work's.
 */
export function classifyGithub({ status, words, permissions }: Refusal, repository: string): Classified {
  const said = words === '' ? `status ${status}` : words;
  switch (status) {
    case 401:
      return forGood('origin', `GitHub refuses the login (${said}): give "github" a token or an app that is valid`);
    case 403:
      if (/archived/i.test(words)) return forGood('origin', `${repository} is archived on GitHub: ${said}`);
      return forGood(
        'origin',
        `GitHub does not allow it (${said}): give the login the permission${permissions === null ? '' : ` ${permissions}`} on ${repository}`,
      );
    case 301:
    case 302:
    case 307:
    case 308:
      return forGood('origin', `${repository} has another name on GitHub now: correct "github" of the repository`);
    case 404:
      return forGood('origin', `GitHub has no such thing in ${repository}, or the login does not see it (${said})`);
    case 409:
      return passing('origin', `GitHub cannot do it now (${said})`);
    case 410:
    case 451:
      return forGood('origin', `GitHub does not offer it for ${repository} (${said})`);
    case 408:
    case 425:
      return passing('origin', `GitHub did not take it (${said})`);
    case 422:
      return forGood('work', `GitHub refuses it (${said})`);
    default:
      return forGood('component', `GitHub answers ${status} (${said})`);
  }
}

/** What the way out throws, as the failure of a step: while GitHub is away, its work waits as for any origin. */
export function asGithubFailure(step: string, error: unknown): unknown {
  if (error instanceof LimitReached) return new Postponed(failureOf(step, error.message));
  if (error instanceof NotAllowed)
    return new ComponentFailure(failureOf(step, error.message), { retryable: false, fault: 'component', cause: error });
  if (error instanceof TargetAway)
    return new ComponentFailure(failureOf(step, error.message), { retryable: true, fault: 'origin', cause: error });
  return error;
}
