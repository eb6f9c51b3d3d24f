import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { NoAnswer, type Answer, type Call, type Client } from '@workledger/shared/client/client.ts';

/** A command that was answered 2xx, with what the answer said. The title is this command's alone. */
export type Accepted = { readonly id: string; readonly revision: number; readonly title: string };

export type Load = {
  /** Grows as answers come in. */
  readonly accepted: readonly Accepted[];
  /** Answers that say no to what should be possible. */
  readonly refused: readonly string[];
  /** Requests that met a 5xx or no answer, and were sent again under their key. */
  unanswered(): number;
  /** Lets every caller bring its command to an answer, then ends. */
  stop(): Promise<void>;
};

const CHANGES_A_TASK = 3;
const PAUSE_MILLISECONDS = 50;
/** While a system starts, its callers leave it the machine. */
const AGAIN_MILLISECONDS = 250;

/** Callers that create a task, change it a few times, and begin again; what got no answer is sent again under the same key. */
export function startLoad(client: Client, callers: number): Load {
  const accepted: Accepted[] = [];
  const refused: string[] = [];
  let unanswered = 0;
  const stopping = new AbortController();

  async function insist(method: string, path: string, call: Call): Promise<Answer | null> {
    for (;;) {
      const answer = await client.send(method, path, call).catch((error: unknown) => {
        if (error instanceof NoAnswer) return null;
        throw error;
      });
      if (answer !== null && answer.status < 300) return answer;
      if (answer !== null && answer.status < 500) {
        refused.push(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
        return null;
      }
      unanswered++;
      await pause(AGAIN_MILLISECONDS);
    }
  }

  async function command(method: string, path: string): Promise<string | null> {
    const title = `title ${randomUUID()}`;
    const answer = await insist(method, path, { body: { title }, idempotencyKey: randomUUID() });
    if (answer === null) return null;
    accepted.push({ id: answer.id, revision: answer.revision, title });
    await pause(PAUSE_MILLISECONDS);
    return answer.id;
  }

  async function call(): Promise<void> {
    while (!stopping.signal.aborted) {
      const id = await command('POST', '/tasks');
      if (id !== null) for (let change = 0; change < CHANGES_A_TASK; change++) await command('PATCH', `/tasks/${id}`);
    }
  }

  const running = Promise.all(Array.from({ length: callers }, call));
  running.catch(() => undefined);
  return {
    accepted,
    refused,
    unanswered: () => unanswered,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
