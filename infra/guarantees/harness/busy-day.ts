import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { NoAnswer, type Answer, type Call, type Client } from '@workledger/shared/client/client.ts';
import { closedIssue, deliver, labeledIssue, newIssueNumber, type Delivery } from '../../testing/system/github.ts';
import type { Accepted } from '../../testing/system/load.ts';

/** A delivery that was taken, and what it is to lead to. */
export type Taken = {
  readonly issue: number;
  readonly taskId: string;
  readonly effect: 'TaskCreated' | 'TaskCancelled';
};

export type BusyDay = {
  readonly accepted: readonly Accepted[];
  readonly taken: readonly Taken[];
  /** Whole answers to questions. */
  readonly answered: () => number;
  /** Answers that deny what is there, and requests that nothing was said to. */
  readonly denied: readonly string[];
  /** Answers with less than was there. */
  readonly short: readonly string[];
  /** So many deliveries at once. Resolves as the first one is taken: the system is in the middle of what follows. */
  burst(deliveries: number): Promise<void>;
  /** Every request that is under way as this is called has come to its end, whether well or not. */
  eachWasTold(): Promise<void>;
  /** Lets every caller bring what it began to an answer, then ends. */
  stop(): Promise<void>;
};

const PAUSE_MILLISECONDS = 150;
const CHANGES_A_TASK = 3;
/** One issue in so many is closed again. */
const CLOSED = 4;

export type Callers = { readonly commands: number; readonly questions: number; readonly deliveries: number };

/** The client has its own patience; a connection that broke is another thing. */
const isGivenUp = ({ cause }: NoAnswer): boolean => cause instanceof Error && cause.name === 'TimeoutError';

/**
 * Commands, questions and signed deliveries, as many callers at once, each with an API key of its own; what got no answer is sent
 * again under its idempotency key.
 */
export async function startBusyDay(client: Client, callers: Callers): Promise<BusyDay> {
  const makeKey = async (_: unknown, number: number): Promise<string> => {
    const body = { name: `caller ${number}`, role: 'admin' };
    return String((await client.expect2xx('POST', '/keys', { body })).body['key']);
  };
  const keys = await Promise.all(Array.from({ length: callers.commands + callers.questions }, makeKey));
  const accepted: Accepted[] = [];
  const taken: Taken[] = [];
  const denied: string[] = [];
  const short: string[] = [];
  const underWay = new Set<Promise<unknown>>();
  let answered = 0;
  const firstIssue = newIssueNumber();
  let issues = 0;
  const stopping = new AbortController();
  const { signal } = stopping;

  /** The answer, if it is one; null when it may be asked for again. */
  async function ask(what: string, send: () => Promise<Answer>): Promise<Answer | null> {
    const asked = send().catch((error: unknown) => {
      if (!(error instanceof NoAnswer)) throw error;
      if (isGivenUp(error)) denied.push(`${what}: nothing said while its caller waited`);
      return null;
    });
    underWay.add(asked);
    const answer = await asked.finally(() => underWay.delete(asked));
    if (answer === null || answer.status < 300) return answer;
    // The gateway says 502 and 504 where a service itself is on its way.
    if (answer.status !== 503 && answer.status !== 502 && answer.status !== 504)
      denied.push(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    else if (!answer.headers.has('Retry-After')) denied.push(`${what}: ${answer.status} without Retry-After`);
    return null;
  }

  /** Again until it is answered: what was begun before the stop, too. */
  async function insist(what: string, send: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const answer = await ask(what, send);
      if (answer !== null) return answer;
      await pause(PAUSE_MILLISECONDS);
    }
  }

  async function command(key: string, method: string, path: string): Promise<string> {
    const title = `title ${randomUUID()}`;
    const call: Call = { body: { title }, idempotencyKey: randomUUID(), key };
    const { id, revision } = await insist(`${method} ${path}`, () => client.send(method, path, call));
    accepted.push({ id, revision, title });
    return id;
  }

  async function commands(key: string): Promise<void> {
    while (!signal.aborted) {
      const id = await command(key, 'POST', '/tasks');
      for (let change = 0; change < CHANGES_A_TASK; change++) await command(key, 'PATCH', `/tasks/${id}`);
      await pause(PAUSE_MILLISECONDS);
    }
  }

  /** What is known of a task must be told of it, by the read model and by the log. */
  async function questions(key: string): Promise<void> {
    while (!signal.aborted) {
      await pause(PAUSE_MILLISECONDS / 2);
      const known = accepted[Math.floor(Math.random() * accepted.length)];
      if (known === undefined) continue;
      const { id, revision } = known;
      const token = `task-${id}@${revision}`;
      const task = await ask(`GET /tasks/${id}`, () => client.send('GET', `/tasks/${id}`, { token, key }));
      if (task !== null && !(task.revision >= revision)) short.push(`task ${id} at ${task.revision}, not ${revision}`);
      const path = `/streams/task-${id}`;
      const events = await ask(`GET ${path}`, () => client.send('GET', path, { key }));
      const count = (events?.body['items'] as unknown[] | undefined)?.length ?? Infinity;
      if (count <= revision) short.push(`${path}: ${count} events, not ${revision + 1}`);
      if (task !== null && events !== null) answered += 1;
    }
  }

  async function take(issue: number, delivery: Delivery, effect: Taken['effect']): Promise<void> {
    const { body } = await insist(`delivery about issue ${issue}`, () => deliver(client, delivery));
    if (body['outcome'] === 'routed') taken.push({ issue, taskId: String(body['taskId']), effect });
    else denied.push(`delivery about issue ${issue}: ${JSON.stringify(body)}`);
  }

  async function takeNew(): Promise<void> {
    const issue = firstIssue + issues++;
    const delivery = labeledIssue(issue);
    await take(issue, delivery, 'TaskCreated');
    if (issue % CLOSED === 0) await take(issue, closedIssue(delivery), 'TaskCancelled');
  }

  async function deliveries(): Promise<void> {
    while (!signal.aborted) {
      await takeNew();
      await pause(PAUSE_MILLISECONDS);
    }
  }

  const running = Promise.all([
    ...keys.map((key, number) => (number < callers.commands ? commands(key) : questions(key))),
    ...Array.from({ length: callers.deliveries }, deliveries),
  ]);
  running.catch(() => undefined);
  const bursts: Promise<void>[] = [];
  return {
    accepted,
    taken,
    answered: () => answered,
    denied,
    short,
    burst: async (count) => {
      const begun = Array.from({ length: count }, takeNew);
      bursts.push(...begun);
      await Promise.race(begun);
    },
    eachWasTold: async () => {
      await Promise.allSettled(underWay);
    },
    stop: async () => {
      stopping.abort();
      await Promise.all([running, ...bursts]);
    },
  };
}
