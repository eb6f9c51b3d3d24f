import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@workledger/shared/client/client.ts';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import type { JsonObject } from '@workledger/shared/contexts/sync/document/json.ts';
import { applyPatch, type Change } from '@workledger/shared/contexts/sync/document/patch.ts';
import { createRandom, type Random } from '../events/random.ts';
import { until } from '../processes/until.ts';
import { openDocument, type DocumentClient, type Edit, type Tally } from './client.ts';

const COUNTERS = 4;

/** A document with a field for every strategy. */
const begun = {
  name: 'storm',
  body: {
    counters: Object.fromEntries(Array.from({ length: COUNTERS }, (_, place) => [`c${place}`, 0])),
    tags: [],
    notes: 'one\ntwo\nthree\nfour\nfive\nsix\n',
    owner: 'nobody',
    first: 0,
    last: 0,
    mine: {},
  },
  strategy: 'last-writer',
  fields: [
    { path: '/counters', strategy: 'field-merge' },
    { path: '/tags', strategy: 'field-merge' },
    { path: '/notes', strategy: 'text-merge' },
    { path: '/owner', strategy: 'source-priority' },
    { path: '/first', strategy: 'first-writer' },
  ],
  sources: [{ name: 'crm', priority: 9 }],
};

type Body = typeof begun.body & { readonly tags: readonly string[] };

function editOf(body: Body, own: string, { below }: Random): { readonly edit: Edit; readonly counts: boolean } {
  const replace = (path: string, value: unknown, more: object = {}) => ({
    edit: { patch: [{ op: 'replace', path, value }], ...more },
    counts: false,
  });
  const lines = body.notes.split('\n');
  switch (below(7)) {
    case 0:
      return replace('/last', below(1_000));
    case 1:
      return replace('/first', below(1_000));
    case 2:
      return replace('/owner', own, below(2) === 0 ? { source: 'crm' } : {});
    case 3:
      return replace('/notes', lines.with(below(lines.length - 1), `${own} ${below(100)}`).join('\n'));
    case 4: {
      const tag = `t${below(30)}`;
      return replace('/tags', body.tags.includes(tag) ? body.tags.filter((one) => one !== tag) : [...body.tags, tag]);
    }
    case 5:
      return { edit: { patch: [{ op: 'add', path: `/mine/${own}`, value: below(1_000) }] }, counts: false };
    default: {
      const counter = `c${below(COUNTERS)}` as keyof Body['counters'];
      return { ...replace(`/counters/${counter}`, (body.counters[counter] as number) + 1), counts: true };
    }
  }
}

export type Storm = Tally & {
  readonly clients: number;
  readonly seconds: number;
  readonly version: number;
  readonly conflicts: number;
  /** What the counters come to, and how often one was counted up by a proposal that was accepted. */
  readonly counted: number;
  readonly counts: number;
  /** Digests at the end: of all copies, of the read model, and of what the changes add up to. */
  readonly digests: ReadonlySet<string>;
};

/**
 * So many clients edit one document at random, each by the seed, while their lines break and some copies are spoilt, until the end; then all come to rest.
 * @param meanwhile what else happens to the system
 */
export async function documentStorm(
  client: Client,
  {
    clients: count,
    seconds,
    seed,
    perKey = 4,
    pace = 400,
  }: { clients: number; seconds: number; seed: number; perKey?: number; pace?: number },
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<Storm> {
  const { id } = await client.expect2xx('POST', '/documents', { body: begun });
  const keys: string[] = [];
  for (let place = 0; place * perKey < count; place++) {
    const made = await client.expect2xx('POST', '/keys', { body: { name: `storm ${place}`, role: 'operator' } });
    keys.push(String(made.body['key']));
  }
  const clients = Array.from({ length: count }, (_, place) =>
    openDocument({
      url: () => client.urlOf('/collaborative/sync'),
      key: keys[Math.floor(place / perKey)]!,
      document: id,
    }),
  );
  const [first] = clients as [DocumentClient];
  const settling = createRandom(seed);
  first.whenInConflict((conflict) => void first.resolve(conflict.id, settling.below(2) === 0 ? 'current' : 'proposed'));
  await until('all to have a copy', () => clients.every((one) => one.copy() !== null), 60);

  const begunAt = performance.now();
  const over = { is: false };
  let counts = 0;
  const edits = clients.map(async (one, place) => {
    const random = createRandom(seed + place + 1);
    while (!over.is) {
      await pause(pace * (0.5 + random.next()));
      const chance = random.next();
      if (chance < 0.03) one.drop();
      else if (chance < 0.04) one.spoil();
      if (one.pending() > 1) continue;
      const { edit, counts: isCount } = editOf(one.copy()!.body as unknown as Body, `k${place}`, random);
      void one.propose(edit).then(({ type }) => (counts += isCount && type === 'accepted' ? 1 : 0));
    }
  });
  await Promise.all([pause(seconds * 1_000), meanwhile()]);
  over.is = true;
  await Promise.all(edits);

  await until('all proposals to be answered', () => clients.every((one) => one.pending() === 0)).catch(
    (error: Error) => {
      const left = clients.filter((one) => one.pending() > 0);
      throw new Error(
        `${error.message}: ${left.length} clients wait, ${left.filter((one) => one.isOpen()).length} of them on a line`,
      );
    },
  );
  const { body: seen } = await until('the end to be seen', async () => {
    const answer = await client.send('GET', `/documents/${id}`);
    return answer.status === 200 && clients.every((one) => one.pending() === 0) ? answer : null;
  });
  // Whoever was spoilt at the end hears of no more changes: it asks.
  for (const one of clients) one.verify();
  const isAtRest = (): boolean => clients.every((one) => digestOf(one.copy()!.body) === seen['digest']);
  await until('all copies to be equal', isAtRest, 30).catch(() => undefined);
  const took = (performance.now() - begunAt) / 1_000;
  for (const one of clients) one.close();

  const sums = clients.reduce<Tally>((sum, { tally }) => addUp(sum, tally), { ...nothing });
  const body = seen['body'] as Body;
  const counted = Object.values(body.counters).reduce((sum, one) => sum + one, 0);
  const copies = clients.map((one) => digestOf(one.copy()!.body));
  const log = await folded(client, id);
  const digests = new Set([...copies, String(seen['digest']), digestOf(log.body)]);
  const figures = { clients: count, seconds: took, version: Number(seen['revision']), conflicts: log.conflicts };
  return { ...sums, ...figures, counted, counts, digests };
}

const nothing: Tally = { accepted: 0, rejected: 0, drops: 0, repairs: 0, changes: 0, resent: 0 };

const addUp = (sum: Tally, one: Tally): Tally =>
  Object.fromEntries(Object.entries(sum).map(([name, value]) => [name, value + one[name as keyof Tally]])) as Tally;

/** What all changes come to, as whoever reads them over HTTP. */
async function folded(client: Client, id: string): Promise<{ readonly body: JsonObject; readonly conflicts: number }> {
  let body: JsonObject = {};
  let count = 0;
  for (let after: number | null = -1; after !== null;) {
    const query: string = after < 0 ? '' : `&after=${after}`;
    const { body: page } = await client.expect2xx('GET', `/documents/${id}/changes?limit=100${query}`);
    for (const { patch, conflicts = [] } of page['items'] as { patch: Change[]; conflicts?: object[] }[]) {
      body = applyPatch(body, patch) as JsonObject;
      count += conflicts.length;
    }
    after = page['next'] as number | null;
  }
  return { body, conflicts: count };
}
