import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { NoAnswer, type Answer, type Client } from '@workledger/shared/client/client.ts';

export type Request = {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  /** Default: one of its own. */
  readonly idempotencyKey?: string;
};

export type Insisting = {
  /** Again until it is answered by anything below 500. @param key default: the client's */
  insist(request: Request, key?: string): Promise<Answer>;
  /** Requests that met a 5xx or no answer, and were sent again under their idempotency key. */
  unanswered(): number;
};

const PAUSE_MILLISECONDS = 100;

/** Sends requests as somebody does who must have an answer. */
export function createInsisting(client: Client): Insisting {
  let unanswered = 0;
  return {
    unanswered: () => unanswered,
    insist: async ({ method, path, body, idempotencyKey = randomUUID() }, key) => {
      const call = method === 'GET' ? {} : { body: body ?? {}, idempotencyKey };
      for (;;) {
        const answer = await client
          .send(method, path, { ...call, ...(key !== undefined && { key }) })
          .catch((error: unknown) => {
            if (error instanceof NoAnswer) return null;
            throw error;
          });
        if (answer !== null && answer.status < 500) return answer;
        unanswered++;
        await pause(PAUSE_MILLISECONDS);
      }
    },
  };
}

/** Lets somebody act again and again, with a rest in between, until the signal aborts. */
export async function again(act: (turn: number) => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    await act(turn);
    await pause(PAUSE_MILLISECONDS);
  }
}
