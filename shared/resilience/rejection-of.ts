/** Resolves with the error of a promise that is rejected; never, when it is not. */
export const rejectionOf = (promise: Promise<unknown>): Promise<Error> =>
  new Promise((resolve) => {
    promise.catch((error: unknown) => resolve(error instanceof Error ? error : new Error(String(error))));
  });
