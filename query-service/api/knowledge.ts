import { z } from 'zod';
import { language } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import {
  knowledgeModel,
  knowledgeRow,
  knowledgeVersionModel,
  knowledgeVersionRow,
  type KnowledgeRow,
  type KnowledgeVersionRow,
} from '@workledger/shared/contexts/agent/knowledge/row.ts';
import { selectList } from '@workledger/shared/contexts/define-row.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal, Route } from '@workledger/shared/http/route.ts';
import { and, demandReadable, readableBy, readerOf, select, type Sql } from '../knowledge/readers.ts';
import { rankings, type Search } from '../knowledge/search.ts';
import { NO_USES, type UsesOf } from '../knowledge/uses.ts';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  anyId,
  byId,
  many,
  one,
  queryRoute,
  READERS,
  several,
  short,
  yesOrNo,
  type QueryOptions,
} from '../reading/query-route.ts';

/** Which entries it names that nobody may see is not told: /related has those that may be. */
const entry = knowledgeRow.omit({ related: true, digest: true });
const uses = z.strictObject({ opened: z.int(), cited: z.int() }).describe('how often it was told to have been');
const entryAnswer = entry.extend({ uses });
const listedEntry = entry.omit({ content: true }).extend({
  excerpt: z.string().describe('the beginning of its content'),
  uses,
});
type Listed = { readonly excerpt: string };

const WITHOUT = ['content', 'related', 'digest'] as const;
const EXCERPT = `left(t.content, 300)`;

const list: ListDefinition<KnowledgeRow, Listed> = {
  model: knowledgeModel,
  without: WITHOUT,
  computed: { excerpt: EXCERPT },
  sorts: {
    created: { column: 'createdAt', type: 'timestamptz' },
    updated: { column: 'updatedAt', type: 'timestamptz' },
    title: { column: 'title', type: 'text' },
  },
};
const columnsWithout = (left: readonly string[]): string =>
  selectList(
    knowledgeModel.columns.filter((name) => !left.includes(name)),
    't',
  );
const WHOLE = columnsWithout(['related', 'digest']);
const LISTED = `${columnsWithout(WITHOUT)}, ${EXCERPT} as excerpt`;

const versions: ListDefinition<KnowledgeVersionRow> = {
  model: knowledgeVersionModel,
  without: ['content'],
  sorts: { version: { column: 'version', type: 'integer' } },
};

const filters = {
  category: several(short).optional(),
  tag: several(short).optional().describe('all of these'),
  author: several(short).optional(),
  repository: several(short).optional(),
  language: language.optional().describe('also the one that the words of `q` are taken in'),
  archived: yesOrNo.optional().describe('default: false'),
};
type Filters = { readonly [Name in keyof typeof filters]?: z.infer<(typeof filters)[Name]> };

/** What is asked for, and readable for who asks: the condition of all that a search looks at. */
function wanted(asked: Filters, principal: Principal | null): Sql {
  const { category, tag, author, repository, language: spoken, archived = false } = asked;
  const among = (column: string, values: readonly string[] | undefined): Sql[] =>
    values === undefined ? [] : [{ text: `t.${column} = any (?::text[])`, values: [values] }];
  return and(
    readableBy(readerOf(principal)),
    { text: 't.archived = ?', values: [archived] },
    ...among('category', category),
    ...among('author', author),
    ...among('repository', repository),
    ...(tag === undefined ? [] : [{ text: 't.tags @> ?::text[]', values: [tag] }]),
    ...(spoken === undefined ? [] : [{ text: 't.language = ?', values: [spoken] }]),
  );
}

type KnowledgeOptions = QueryOptions & { readonly search: Search; readonly usesOf: UsesOf };

/** GET /knowledge and below. */
export const knowledgeQueries = (options: KnowledgeOptions, settle: Settle): readonly Route[] => {
  const { pool, search, usesOf } = options;
  const withUses = async <Item extends { readonly id: string }>(items: readonly Item[]) => {
    const used = await usesOf(items.map(({ id }) => id));
    return items.map((item) => ({ ...item, uses: used.get(item.id) ?? NO_USES }));
  };
  /** In the order of the ids; what is not readable any more is left out. */
  const listed = async (ids: readonly string[], principal: Principal | null) => {
    const readable = readableBy(readerOf(principal));
    const rows = await select<Pick<KnowledgeRow, 'id' | 'title'> & Listed>(pool, {
      text: `select ${LISTED} from read_models.knowledge t where t.id = any (?::text[]) and ${readable.text}`,
      values: [ids, ...readable.values],
    });
    const found = new Map((await withUses(rows)).map((row) => [row.id, row]));
    return ids.flatMap((id) => found.get(id) ?? []);
  };

  const common = { role: READERS, scoped: true, models: [knowledgeModel] } as const;
  return [
    queryRoute(settle, {
      ...common,
      path: '/knowledge',
      summary: 'Search what is known, or list it',
      description:
        'With `q`: the best answers, ranked by words (misspelt ones, too) and by meaning together, those often used a little earlier; as many as `limit` says, no further page, and no order but theirs. Without: a list.',
      answer: 'Entries that whoever asks may read; `ranking` tells by what they were ranked, null: not at all.',
      schema: pageOf(listedEntry).extend({ ranking: z.enum(rankings).nullable() }),
      query: {
        q: short.optional().describe('words, or a question'),
        ...filters,
        ...pageParameters(list.sorts, '-updated'),
      },
      handler: async ({ query: asked, principal, signal }) => {
        const readable = wanted(asked, principal);
        if (asked.q === undefined) {
          const page = await readPage(pool, list, asked, (query) => {
            query.whereRaw(readable.text, readable.values as readonly string[]);
          });
          return many({ ...page, items: await withUses(page.items), ranking: null });
        }
        if (asked.cursor !== undefined)
          throw new Problem('unknown-cursor', 'a search has one page: leave the cursor out');
        const { limit, language: spoken } = asked;
        const { ranking, found } = await search(asked.q, { readable, language: spoken, limit, signal });
        const ids = found.map(({ id }) => id);
        return many({ items: await listed(ids, principal), next: null, ranking });
      },
    }),
    queryRoute(settle, {
      ...common,
      path: '/knowledge/{id}',
      summary: 'An entry',
      answer: 'Its newest version.',
      schema: entryAnswer,
      params: byId,
      problems: ['not-found'],
      handler: async ({ params, principal }) => {
        const readable = readableBy(readerOf(principal));
        const rows = await select<Omit<KnowledgeRow, 'related' | 'digest'>>(pool, {
          text: `select ${WHOLE} from read_models.knowledge t where t.id = ? and ${readable.text}`,
          values: [params.id, ...readable.values],
        });
        const [found] = await withUses(rows);
        if (found === undefined) throw new Problem('not-found', `there is no entry ${params.id}`);
        return one(found);
      },
    }),
    queryRoute(settle, {
      ...common,
      path: '/knowledge/{id}/related',
      summary: 'Entries that belong to an entry',
      description: 'Those that it names or that name it, then those nearest in meaning, of which there are at most 10.',
      answer: 'Entries that whoever asks may read.',
      schema: z.object({
        items: z.array(
          listedEntry.extend({
            relation: z.enum(['linked', 'similar']),
            similarity: z.number().nullable().describe('cosine; null where they are linked'),
          }),
        ),
      }),
      params: byId,
      problems: ['not-found'],
      handler: async ({ params: { id }, principal }) => {
        await demandReadable(pool, readerOf(principal), id);
        const readable = wanted({}, principal);
        const links = await linkedTo(pool, id, readable);
        const near = await search.nearTo(id, readable, MOST_SIMILAR + links.length);
        const similar = near.filter((each) => !links.includes(each.id)).slice(0, MOST_SIMILAR);
        const similarities = new Map(similar.map(({ id: other, similarity }) => [other, similarity]));
        const items = await listed([...links, ...similarities.keys()], principal);
        return many({
          items: items.map((item) => ({
            ...item,
            relation: similarities.has(item.id) ? 'similar' : 'linked',
            similarity: similarities.get(item.id) ?? null,
          })),
        });
      },
    }),
    queryRoute(settle, {
      ...common,
      path: '/knowledge/{id}/versions',
      models: [knowledgeVersionModel, knowledgeModel],
      summary: 'The versions of an entry',
      answer: 'A page of versions, without their content.',
      schema: pageOf(knowledgeVersionRow.omit({ content: true })),
      params: byId,
      query: pageParameters(versions.sorts, '-version'),
      problems: ['not-found'],
      handler: async ({ params, query, principal }) => {
        const readable = readableBy(readerOf(principal), 'k');
        await demandReadable(pool, readerOf(principal), params.id);
        return many(
          await readPage(pool, versions, query, (page) => {
            page.where('t.entry_id', params.id);
            page.whereRaw(
              `exists (select from read_models.knowledge k where k.id = t.entry_id and ${readable.text})`,
              readable.values as readonly string[],
            );
          }),
        );
      },
    }),
    queryRoute(settle, {
      ...common,
      path: '/knowledge/{id}/versions/{version}',
      models: [knowledgeVersionModel, knowledgeModel],
      summary: 'A version of an entry',
      answer: 'The version, as it was written.',
      schema: knowledgeVersionRow,
      params: z.strictObject({
        id: anyId,
        version: z
          .string()
          .regex(/^[1-9]\d{0,8}$/, 'a number from 1')
          .transform(Number),
      }),
      problems: ['not-found'],
      handler: async ({ params: { id, version }, principal }) => {
        const readable = readableBy(readerOf(principal));
        const [row] = await select<KnowledgeVersionRow>(pool, {
          text: `
            select ${selectList(knowledgeVersionModel.columns, 'v')}
            from read_models.knowledge_versions v join read_models.knowledge t on t.id = v.entry_id
            where v.id = ? and ${readable.text}`,
          values: [`${id}/${version}`, ...readable.values],
        });
        if (row === undefined) throw new Problem('not-found', `there is no version ${version} of an entry ${id}`);
        return many(row);
      },
    }),
  ];
};

const MOST_SIMILAR = 10;
const MOST_LINKED = 100;

/** Those that an entry names, and those that name it, of the readable ones. */
const linkedTo = async (pool: QueryOptions['pool'], id: string, readable: Sql): Promise<string[]> =>
  (
    await select<{ id: string }>(pool, {
      text: `
        select t.id from read_models.knowledge t
        where (t.related @> array[?::text] or t.id in (
          select unnest(own.related) from read_models.knowledge own where own.id = ?
        )) and ${readable.text} order by t.updated_at desc, t.id limit ${MOST_LINKED}`,
      values: [id, id, ...readable.values],
    })
  ).map((row) => row.id);
