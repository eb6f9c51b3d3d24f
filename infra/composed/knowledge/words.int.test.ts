import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemCode } from '../../testing/servers/application.ts';
import { person, startHouse, type House } from './testing.ts';

const ada = person('agent');
const bob = person('operator');
const eve = person('viewer');
let house: House;
const ids: Record<string, string> = {};

const entries = [
  {
    title: 'Connection pools',
    content: 'Keep database connections few: ten for each process are enough.',
    tags: ['sql', 'pool'],
    category: 'databases',
  },
  {
    title: 'Migrations',
    content: 'A migration of the database that was released is never changed.',
    tags: ['sql'],
    category: 'databases',
  },
  {
    title: 'Retries',
    content: 'Wait longer before each retry, with some jitter, so that servers recover.',
    category: 'resilience',
    repository: 'shop',
  },
  {
    title: 'Verbindungen',
    content: 'Die Datenbank hält höchstens hundert Verbindungen offen; Häuser und Bäume warten.',
    language: 'german',
    tags: ['sql'],
  },
  {
    title: 'Zeitzonen',
    content: 'Zeiten werden immer in UTC gespeichert und erst bei der Anzeige umgerechnet.',
    language: 'german',
  },
] as const;

beforeAll(async () => {
  house = await startHouse();
  for (const entry of entries) ids[entry.title] = await house.write(ada, entry);
});
afterAll(() => house.close());

const asked = (q: string, more = ''): Promise<string[]> => house.titles(eve, `q=${encodeURIComponent(q)}${more}`);

describe('a search by words', () => {
  it('says that it ranked by words alone where no endpoint is configured', async () => {
    expect((await house.search(eve, 'q=pools')).ranking).toBe('words');
    expect((await house.search(eve, '')).ranking).toBeNull();
  });

  it.each([
    ['connecting pool', 'Connection pools'],
    ['why did the retries wait', 'Retries'],
    ['released migrations', 'Migrations'],
    ['Verbindung zur Datenbank', 'Verbindungen'],
    ['Haus Baum', 'Verbindungen'],
    ['gespeicherte Zeit', 'Zeitzonen'],
  ])('finds by stems, English and German: %s', async (question, title) =>
    expect((await asked(question))[0]).toBe(title),
  );

  it.each([
    ['conection pols', 'Connection pools'],
    ['databse conections', 'Connection pools'],
    ['migratoin', 'Migrations'],
    ['retires jiter', 'Retries'],
    ['Verbidungen', 'Verbindungen'],
    ['Datenbnak Verbindnugen', 'Verbindungen'],
    ['Zietzonen', 'Zeitzonen'],
    ['Bäumme', 'Verbindungen'],
  ])('finds what is misspelt: %s', async (question, title) => expect((await asked(question))[0]).toBe(title));

  it('puts a match in a title before one in the text, and all words before some', async () => {
    expect((await asked('migration database'))[0]).toBe('Migrations');
    expect(await asked('database')).toEqual(expect.arrayContaining(['Connection pools', 'Migrations']));
  });

  it('finds nothing by words that nobody wrote, nor by signs', async () => {
    for (const question of ['xylophone', '!!! ???', "' & | ! :* <->", '∅']) expect(await asked(question)).toEqual([]);
  });

  it('takes the words of a question in the language that is asked for', async () => {
    expect(await asked('Datenbank', '&language=german')).toEqual(['Verbindungen']);
    expect(await asked('Datenbank', '&language=english')).toEqual([]);
  });

  it('can be narrowed', async () => {
    expect(await asked('database', '&category=databases&tag=pool')).toEqual(['Connection pools']);
    expect(await asked('wait', '&repository=shop')).toEqual(['Retries']);
    expect(await asked('database', `&author=${bob.actor}`)).toEqual([]);
    expect(await asked('sql', '&tag=sql&limit=1')).toHaveLength(1);
  });

  it('has no second page', async () => {
    const { items: _, ...page } = await house.search(eve, 'q=database&limit=1');
    expect(page).toMatchObject({ next: null });
    expect(problemCode(await house.ask(eve, 'GET', '/knowledge?q=database&cursor=x'))).toBe('unknown-cursor');
  });

  it('puts a little earlier what is used, and counts the same command once', async () => {
    // Of this try alone: what an earlier one wrote is found no more.
    const animal = `zebra${newId().replaceAll(/[^a-f]/g, '')}`;
    const [one, other] = [
      await house.write(ada, { title: `${animal} one`, content: 'stripes' }),
      await house.write(ada, { title: `${animal} two`, content: 'stripes' }),
    ];
    const found = async () => (await house.search(eve, `q=${animal}`)).items;
    const [first, second] = (await found()).map(({ id }) => id);
    expect([one, other].toSorted()).toEqual([first, second].toSorted());
    for (let time = 0; time < 3; time++) await house.ask(ada, 'POST', `/knowledge/${second}/used`, { how: 'cited' });
    await house.ask(bob, 'POST', `/knowledge/${second}/used`, {});
    expect((await found()).map(({ id, uses }) => ({ id, uses }))).toEqual([
      { id: second, uses: { opened: 1, cited: 3 } },
      { id: first, uses: { opened: 0, cited: 0 } },
    ]);
  });
});

describe('an entry', () => {
  it('is found by its new words after it was revised, and each version stays readable', async () => {
    const id = await house.write(ada, { title: 'Caches', content: 'Evict by time.' });
    const patched = await house.ask(ada, 'PATCH', `/knowledge/${id}`, { content: 'Evict the least recently used.' });
    expect(patched.status).toBe(200);
    expect(await asked('recently evicted')).toEqual(['Caches']);
    const version = async (number: number) => (await house.ask(eve, 'GET', `/knowledge/${id}/versions/${number}`)).body;
    expect(await version(1)).toMatchObject({ version: 1, content: 'Evict by time.', editor: ada.actor });
    expect(await version(2)).toMatchObject({ version: 2, content: 'Evict the least recently used.' });
    const { items } = (await house.ask(eve, 'GET', `/knowledge/${id}/versions`)).body as {
      items: { version: number }[];
    };
    expect(items.map((each) => each.version)).toEqual([2, 1]);
    expect((await house.ask(eve, 'GET', `/knowledge/${id}/versions/3`)).status).toBe(404);
  });

  it('is found no more once it is archived, and again once it is restored', async () => {
    const id = await house.write(ada, { title: 'Quagga', content: 'extinct' });
    expect((await house.ask(ada, 'DELETE', `/knowledge/${id}`, {})).status).toBe(200);
    expect(await asked('quagga')).toEqual([]);
    expect(await asked('quagga', '&archived=true')).toEqual(['Quagga']);
    expect((await house.ask(eve, 'GET', `/knowledge/${id}`)).body).toMatchObject({ archived: true });
    await house.ask(bob, 'POST', `/knowledge/${id}/restore`, {});
    expect(await asked('quagga')).toEqual(['Quagga']);
  });

  it('is changed by its author or an operator, and by nobody else', async () => {
    const id = ids['Retries']!;
    const other = person('agent');
    const revise = (who: typeof ada) => house.ask(who, 'PATCH', `/knowledge/${id}`, { tags: [who.role] });
    expect(problemCode(await revise(other))).toBe('forbidden');
    expect(problemCode(await revise(eve))).toBe('forbidden');
    expect((await revise(bob)).status).toBe(200);
    expect((await revise(ada)).status).toBe(200);
    expect((await house.ask(other, 'POST', `/knowledge/${id}/used`, {})).status).toBe(200);
  });

  it('is related to others, which are told from both sides', async () => {
    const [from, to] = [ids['Connection pools']!, ids['Verbindungen']!];
    const relate = await house.ask(ada, 'POST', `/knowledge/${from}/related`, { relatedId: to });
    expect(relate.status).toBe(200);
    const related = async (id: string) =>
      (
        (await house.ask(eve, 'GET', `/knowledge/${id}/related`)).body as {
          items: { title: string; relation: string }[];
        }
      ).items.map(({ title, relation }) => [title, relation]);
    expect(await related(from)).toEqual([['Verbindungen', 'linked']]);
    expect(await related(to)).toEqual([['Connection pools', 'linked']]);
    expect((await house.ask(ada, 'DELETE', `/knowledge/${from}/related/${to}`)).status).toBe(200);
    expect(await related(to)).toEqual([]);
  });

  it('belongs to a repository that is registered, or to none', async () => {
    const told = await house.ask(ada, 'POST', '/knowledge', { title: 'x', content: 'x', repository: 'nowhere' });
    expect(problemCode(told)).toBe('unknown-repository');
  });
});

it('lists in its orders, page by page', async () => {
  const first = await house.ask(eve, 'GET', '/knowledge?sort=title&limit=2&language=german');
  expect((first.body['items'] as { title: string }[]).map(({ title }) => title)).toEqual(['Verbindungen', 'Zeitzonen']);
  expect(first.body['next']).toBeNull();
  const page = await house.ask(eve, 'GET', '/knowledge?sort=title&limit=1');
  const second = await house.ask(eve, 'GET', `/knowledge?sort=title&limit=1&cursor=${String(page.body['next'])}`);
  expect((second.body['items'] as object[]).length).toBe(1);
});
