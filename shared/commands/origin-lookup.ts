import { z } from 'zod';

/** A commit that somebody submits for a task, and says to have pushed to the origin of its repository. */
export const submitted = z.strictObject({
  repository: z.string().min(1).max(200),
  taskId: z.uuid(),
  commit: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
});
export type Submitted = z.infer<typeof submitted>;

/**
 * Why a commit cannot be taken from the origin of a repository, in words that mend it. Null: it is there, or nobody can tell now;
 * whoever works on it next will see.
 */
export type WhyNotInOrigin = (submitted: Submitted) => Promise<string | null>;

/** Where sagas are asked, with the service key. */
export const ORIGIN_LOOKUPS_PATH = '/api/v1/service/origin-lookups';
export const originLookupAnswer = z.object({ absent: z.string().max(1_000).nullable() });

/** Milliseconds that sagas give an origin, and that whoever asks them waits for each. */
export const LOOKUP_MILLISECONDS = 10_000;
const ANSWER_MILLISECONDS = LOOKUP_MILLISECONDS + 1_000;

type OriginLookupOptions = {
  /** Addresses of sagas, such as `http://127.0.0.1:8085`: the next is asked when one gives no answer. */
  readonly urls: readonly string[];
  /** The key of role `service`, which they know as theirs. */
  readonly key: string;
  readonly logger: { debug(fields: object, message: string): void };
};

/** Asks sagas, which reach what command-service does not: runners, and by them the origins. Never throws: who cannot ask knows nothing against a commit. */
export function createHttpOriginLookup({ urls, key, logger }: OriginLookupOptions): WhyNotInOrigin {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  return async (asked) => {
    // eslint-disable-next-line no-restricted-properties -- It is held here for as long as it is waited for.
    const deadline = AbortSignal.timeout(ANSWER_MILLISECONDS);
    const request = {
      method: 'POST',
      redirect: 'error',
      headers,
      body: JSON.stringify(asked),
      signal: deadline,
    } as const;
    for (const url of urls)
      try {
        const response = await fetch(new URL(ORIGIN_LOOKUPS_PATH, url), request);
        if (response.ok) return originLookupAnswer.parse(await response.json()).absent;
        await response.body?.cancel();
        logger.debug({ url, status: response.status }, 'sagas do not tell whether a commit is in its origin');
      } catch (error) {
        logger.debug({ url, reason: String(error) }, 'sagas cannot be asked whether a commit is in its origin');
        if (deadline.aborted) return null;
      }
    return null;
  };
}
