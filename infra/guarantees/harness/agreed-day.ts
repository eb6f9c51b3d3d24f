import type { Answer, Client } from '@workledger/shared/client/client.ts';
import { openDocument } from '../../testing/documents/client.ts';
import type { Settings } from '../../testing/system/engine.ts';
import { again, createInsisting, type Request } from './insist.ts';

const DOCUMENTS = 3;
const COUNTERS = 3;
/** Copies of each document that are kept on lines of their own, and changed there. */
const COPIES = 2;
/** So many limits are set, then what was valid before the last of them is valid again. */
const SET_BEFORE_ROLLBACK = 5;
const PRODUCTION = '/configuration/environments/production';
/** Nobody is asked anything: models are only chosen. */
const NOWHERE = '127.0.0.1:9';

export const agreedSettings: Settings = {
  outbound: { privateHosts: [NOWHERE] },
  models: ['small', 'large'].map((name) => ({
    name,
    url: `http://${NOWHERE}/v1`,
    model: name,
    inputUsd: 1,
    outputUsd: 5,
  })),
};

export type AgreedDay = {
  /** By document: how often one was added to its counter, as far as it was accepted. */
  readonly added: ReadonlyMap<string, number>;
  /** The copies that are kept on lines: of which document, and what they come to. */
  readonly copies: readonly Copy[];
  /** What the limit was set to, and by which revision, in their order; of one that goes back, to which. */
  readonly limits: readonly Limit[];
  /** Models that were chosen, and whether the one who asked said that it was good. */
  readonly routed: ReadonlyMap<string, boolean>;
  /** Tasks that were created, by their ids. */
  readonly tasks: ReadonlyMap<string, string>;
  /** Answers that say no to what should be possible. */
  readonly refused: readonly string[];
  /** Commands that were accepted, all in all. */
  count(): number;
  unanswered(): number;
  /** Lets everybody bring what they began to an answer; copies are kept on. */
  stop(): Promise<void>;
  close(): void;
};

export type Copy = { readonly document: string; readonly line: ReturnType<typeof openDocument> };
type Limit = { readonly revision: number; readonly seconds: number; readonly backTo?: number };

/**
 * Documents (over HTTP, and on lines), the configuration, choices of models and tasks that are estimated, all at once, by callers who
 * ask again under their idempotency keys until they are answered.
 */
export async function startAgreedDay(client: Client): Promise<AgreedDay> {
  const { insist, unanswered } = createInsisting(client);
  const added = new Map<string, number>();
  const copies: Copy[] = [];
  const limits: Limit[] = [];
  const routed = new Map<string, boolean>();
  const tasks = new Map<string, string>();
  const refused: string[] = [];
  let count = 0;

  async function accepted(request: Request): Promise<Answer | null> {
    const answer = await insist(request);
    if (answer.status < 300) return answer;
    refused.push(`${request.method} ${request.path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return null;
  }
  async function post(path: string, body: object): Promise<Answer | null> {
    const answer = await accepted({ method: 'POST', path, body });
    if (answer !== null) count++;
    return answer;
  }

  /** Adds one to what it has read, which others have changed meanwhile. */
  async function add(turn: number): Promise<void> {
    const id = [...added.keys()][turn % added.size]!;
    const read = await accepted({ method: 'GET', path: `/documents/${id}` });
    if (read === null) return;
    const { body, revision } = read.body as unknown as { body: { counter: number }; revision: number };
    const change = { base: revision, merge: { counter: body.counter + 1 } };
    if ((await accepted({ method: 'PATCH', path: `/documents/${id}`, body: change })) === null) return;
    counted(id);
  }
  function counted(document: string): void {
    added.set(document, added.get(document)! + 1);
    count++;
  }

  /** The same on a line, which breaks when its server dies, and says it again. */
  async function addOnLine(turn: number): Promise<void> {
    const { document, line } = copies[turn % copies.length]!;
    const copy = line.copy();
    if (copy === null) return;
    const value = (copy.body as { counter: number }).counter + 1;
    const answer = await line.propose({ patch: [{ op: 'replace', path: '/counter', value }] });
    if (answer.type === 'accepted') counted(document);
    else refused.push(`on a line: ${JSON.stringify(answer)}`);
  }

  async function set(turn: number): Promise<void> {
    if (turn % (SET_BEFORE_ROLLBACK + 1) === SET_BEFORE_ROLLBACK) return goBack();
    const seconds = 1_000 + turn;
    const changes = [{ path: '/limits/ageingSeconds', value: seconds }];
    const answer = await accepted({ method: 'PATCH', path: PRODUCTION, body: { reason: 'for a change', changes } });
    if (answer === null) return;
    limits.push({ revision: answer.revision, seconds });
    count++;
  }
  async function goBack(): Promise<void> {
    const { revision: to, seconds } = limits.at(-2)!;
    const answer = await post('/configuration/rollback', { environment: 'production', to, reason: 'it was better' });
    if (answer !== null) limits.push({ revision: answer.revision, seconds, backTo: to });
  }

  async function choose(turn: number): Promise<void> {
    const path = '/autonomous/ai/route';
    const chosen = await post(path, { task_type: 'bug', complexity: 'low', context: {} });
    if (chosen === null) return;
    const succeeded = turn % 3 !== 0;
    if ((await post(`${path}/${chosen.id}/outcome`, { succeeded })) !== null) routed.set(chosen.id, succeeded);
  }

  async function want(turn: number): Promise<void> {
    const title = `Mend the search, ${turn}`;
    const answer = await post('/tasks', { title, description: 'It reads each file twice.' });
    if (answer !== null) tasks.set(answer.id, title);
  }

  for (let number = 0; number < DOCUMENTS; number++) {
    const body = { name: `document ${number}`, body: { counter: 0 }, strategy: 'field-merge' };
    const { id, token } = await client.expect2xx('POST', '/documents', { body });
    await client.expect2xx('GET', `/documents/${id}`, { token });
    added.set(id, 0);
  }
  const keeper = { name: 'keeper', role: 'operator' };
  const key = String((await client.expect2xx('POST', '/keys', { body: keeper })).body['key']);
  for (const document of [...added.keys()].flatMap((id) => Array<string>(COPIES).fill(id)))
    copies.push({ document, line: openDocument({ url: () => client.urlOf('/collaborative/sync'), key, document }) });
  const stopping = new AbortController();
  const counters = Array.from({ length: COUNTERS }, (_, by) => (turn: number) => add(turn + by));
  const running = Promise.all([...counters, addOnLine, set, choose, want].map((act) => again(act, stopping.signal)));
  running.catch(() => undefined);
  return {
    ...{ added, copies, limits, routed, tasks, refused, unanswered },
    count: () => count,
    stop: async () => {
      stopping.abort();
      await running;
    },
    close: () => {
      for (const { line } of copies) line.close();
    },
  };
}
