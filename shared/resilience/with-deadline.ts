/** The work has not ended in its time; it goes on. */
export class TooLate extends Error {
  override name = 'TooLate';
}

/**
 * The work's outcome, if it comes within so many milliseconds; the work itself goes on. A server that froze would else keep its
 * caller for ever.
 * @throws TooLate naming what took too long
 */
export async function withDeadline<Result>(work: Promise<Result>, milliseconds: number, what: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLate(`${what}: no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with the error of a promise that is rejected; never, when it is not. */
export const rejectionOf = (promise: Promise<unknown>): Promise<Error> =>
  new Promise((resolve) => {
    promise.catch((error: unknown) => resolve(error instanceof Error ? error : new Error(String(error))));
  });
