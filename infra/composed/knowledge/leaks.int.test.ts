import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Access } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import { isReadableBy } from '@workledger/shared/contexts/agent/knowledge/state.ts';
import {
  person,
  startEmbeddingsEndpoint,
  startHouse,
  type EmbeddingsEndpoint,
  type House,
  type Person,
} from './testing.ts';

/** Everything means nearly the same here: whatever meaning could give away, it would. */
const nearlyTheSame = (words: string): number[] => [10, words.length % 5, 1, 0, 0, 0, 0, 0];

const people: Record<string, Person> = {
  author: person('agent', { teams: ['core'] }),
  colleague: person('agent', { teams: ['core', 'web'] }),
  stranger: person('agent', { teams: ['web'] }),
  operator: person('operator'),
  admin: person('admin'),
  auditor: person('auditor'),
  viewer: person('viewer'),
  ofShop: person('operator', { repositories: ['shop'], teams: ['core'] }),
  ofBank: person('agent', { repositories: ['bank'] }),
};
type Written = {
  readonly id: string;
  readonly author: string;
  readonly access: Access;
  readonly repository: string | null;
};
let endpoint: EmbeddingsEndpoint;
let house: House;
const written: Written[] = [];

beforeAll(async () => {
  endpoint = await startEmbeddingsEndpoint(nearlyTheSame);
  house = await startHouse({ url: endpoint.url, model: 'same', dimensions: 8 });
  const accesses: Access[] = [{ kind: 'private' }, { kind: 'team', team: 'core' }, { kind: 'all' }];
  for (const who of ['author', 'stranger', 'ofShop'])
    for (const access of accesses)
      for (const repository of who === 'ofShop' ? ['shop'] : [null, 'shop', 'bank']) {
        const { actor: author } = people[who]!;
        const title = `secret ${who} ${access.kind} ${repository}`;
        const id = await house.write(people[who]!, {
          title,
          content: `sesame ${title}`,
          access,
          repository,
          tags: ['vault'],
        });
        written.push({ id, author, access, repository });
      }
  // A web of links: whoever follows them from what is open comes past what is not.
  for (const { id, author } of written)
    for (const other of written.filter((each) => each.id !== id).slice(0, 4)) {
      const who = Object.values(people).find(({ actor }) => actor === author)!;
      await house.ask(who, 'POST', `/knowledge/${id}/related`, { relatedId: other.id });
    }
  await house.untilEmbedded();
});
afterAll(async () => {
  await house.close();
  endpoint.close();
});

const open = (who: Person): string[] =>
  written
    .filter((each) => isReadableBy(each, who))
    .map(({ id }) => id)
    .toSorted();
const idsOf = async (who: Person, path: string): Promise<string[]> =>
  ((await house.ask(who, 'GET', path)).body['items'] as { id: string }[]).map(({ id }) => id).toSorted();

describe.each(Object.keys(people))('what is closed to %s is not there', (name) => {
  const who = people[name]!;
  const closed = () => written.filter((each) => !isReadableBy(each, who));

  it('in lists', async () => expect(await idsOf(who, '/knowledge?limit=100')).toEqual(open(who)));

  it('in searches by words and by meaning', async () => {
    const { ranking } = await house.search(who, 'q=sesame');
    expect(ranking).toBe('words and meaning');
    for (const question of ['sesame', 'sesamme', 'something%20else', 'secret%20private'])
      for (const id of await idsOf(who, `/knowledge?q=${question}&limit=100`)) expect(open(who)).toContain(id);
    expect(await idsOf(who, '/knowledge?q=sesame&limit=100')).toEqual(open(who));
  });

  it('behind filters', async () => {
    for (const filter of ['tag=vault', 'repository=shop,bank', `author=${people['author']!.actor}`])
      for (const id of await idsOf(who, `/knowledge?limit=100&${filter}`)) expect(open(who)).toContain(id);
  });

  it('among what is related', async () => {
    for (const id of open(who))
      for (const other of await idsOf(who, `/knowledge/${id}/related`)) expect(open(who)).toContain(other);
  });

  it('by its id: answered as what never was', async () => {
    const never = '0190a000-0000-7000-8000-00000000dead';
    for (const { id } of closed().slice(0, 6))
      for (const path of ['', '/related', '/versions', '/versions/1']) {
        const [there, nowhere] = [
          await house.ask(who, 'GET', `/knowledge/${id}${path}`),
          await house.ask(who, 'GET', `/knowledge/${never}${path}`),
        ];
        const told = JSON.stringify({ ...there.body, correlationId: null });
        expect([there.status, told.replaceAll(id, never)]).toEqual([
          404,
          JSON.stringify({ ...nowhere.body, correlationId: null }),
        ]);
      }
  });

  it('for commands, neither as what is changed nor as what is named', async () => {
    if (who.role === 'viewer' || who.role === 'auditor') return;
    const own = written.find(({ id, author }) => author === who.actor && open(who).includes(id));
    for (const { id } of closed().slice(0, 4)) {
      const bodies = [
        ['PATCH', '', { title: 'mine' }],
        ['DELETE', '', {}],
        ['POST', '/share', { access: { kind: 'all' } }],
        ['POST', '/used', {}],
        ['POST', '/restore', {}],
      ] as const;
      for (const [method, path, body] of bodies)
        expect((await house.ask(who, method, `/knowledge/${id}${path}`, body)).status).toBe(404);
      if (own !== undefined)
        expect((await house.ask(who, 'POST', `/knowledge/${own.id}/related`, { relatedId: id })).status).toBe(422);
    }
  });
});

it('ends at once for all versions, when an entry is shared no more', async () => {
  const [author, viewer] = [people['author']!, people['viewer']!];
  const id = await house.write(author, { title: 'open', content: 'first' });
  await house.ask(author, 'PATCH', `/knowledge/${id}`, { content: 'second' });
  expect((await house.ask(viewer, 'GET', `/knowledge/${id}/versions/1`)).status).toBe(200);
  await house.ask(author, 'POST', `/knowledge/${id}/share`, { access: { kind: 'private' } });
  for (const path of ['', '/versions', '/versions/1', '/versions/2'])
    expect((await house.ask(viewer, 'GET', `/knowledge/${id}${path}`)).status).toBe(404);
  expect((await house.ask(author, 'GET', `/knowledge/${id}/versions/1`)).status).toBe(200);
});

it('a key that is limited to repositories writes within them', async () => {
  const told = await house.ask(people['ofBank']!, 'POST', '/knowledge', {
    title: 'x',
    content: 'x',
    repository: 'shop',
  });
  expect(told.status).toBe(422);
  expect((await house.ask(people['ofBank']!, 'POST', '/knowledge', { title: 'x', content: 'x' })).status).toBe(422);
});
