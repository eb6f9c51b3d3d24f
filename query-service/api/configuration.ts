import { changesBetween } from '@workledger/shared/config/content.ts';
import { ConfigurationError } from '@workledger/shared/config/faults.ts';
import { evaluateFlag, flagVerdict } from '@workledger/shared/config/flags.ts';
import { FILE_ALONE, type Live } from '@workledger/shared/config/live.ts';
import { componentName } from '@workledger/shared/config/overlays.ts';
import { shownValues } from '@workledger/shared/config/shown.ts';
import {
  change,
  configurationId,
  environmentName,
  type Content,
  type EnvironmentName,
} from '@workledger/shared/contexts/sync/configuration/events.ts';
import {
  configurationModel,
  configurationRevisionModel,
  configurationRevisionRow,
  configurationRow,
  type ConfigurationRevisionRow,
  type ConfigurationRow,
} from '@workledger/shared/contexts/sync/configuration/row.ts';
import { selectList } from '@workledger/shared/contexts/define-row.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { word } from '@workledger/shared/contexts/text.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Settle } from '../reading/consistency.ts';
import { pageOf, pageParameters, readPage, type ListDefinition } from '../reading/page.ts';
import {
  many,
  one,
  OPERATORS,
  queryRoute,
  READERS,
  several,
  short,
  type QueryOptions,
} from '../reading/query-route.ts';

const list: ListDefinition<ConfigurationRevisionRow> = {
  model: configurationRevisionModel,
  sorts: { changed: { column: 'changedAt', type: 'timestamptz' } },
};

const anyRevision = z.int().min(FILE_ALONE);
const environmentAnswer = z.object({
  environment: environmentName,
  revision: anyRevision.describe('also the ETag, "-1" too: nothing was ever set'),
  content: configurationRow.shape.content,
  since: configurationRow.shape.since,
});
const effectiveAnswer = z.object({
  environment: environmentName,
  revision: anyRevision.describe('of what is shown; -1: the file alone'),
  component: componentName.nullable().describe('whose own values are in it; null: those of all'),
  reader: z
    .object({ revision: anyRevision })
    .describe('by which revision the process goes that answers; each tells its own in /health'),
  values: z.array(
    z.object({
      path: z.string(),
      value: z.unknown(),
      origin: z.enum(['default', 'file', 'api', 'overlay', 'installation']),
      revision: z.int().optional().describe('that set it'),
      file: z.unknown().optional().describe('what the file says, where another value is in use'),
      fileOverlay: z.unknown().optional().describe('what the file says of this component, where the API’s is in use'),
      api: z.unknown().optional().describe('what the API has set for all, where that for this component is in use'),
    }),
  ),
});
const diffAnswer = z.object({
  environment: environmentName,
  from: anyRevision,
  to: anyRevision,
  changes: z.array(change),
});

/** A revision as a parameter. */
const revision = z
  .string()
  .regex(/^(-1|\d{1,9})$/, 'a revision; -1: the file alone')
  .transform(Number);
const attribute = z
  .string()
  .max(401)
  .regex(/^[^:,\u0000]{1,100}:[^,\u0000]{0,300}$/, 'a name, a colon and a value, such as repository:shop');

type Options = Pick<QueryOptions, 'pool'> & { readonly live: Live };

/** What is configured, where each value comes from, and how it came about. */
export function configurationQueries({ pool, live }: Options, settle: Settle): readonly Route[] {
  const environment = environmentName.default(live.environment).describe('default: the one that this system is');
  const models = [configurationModel, configurationRevisionModel];
  return [
    queryRoute(settle, {
      path: '/configuration',
      role: OPERATORS,
      summary: 'What is configured, and where each value comes from',
      description:
        'The file with what it says of one component, over that what the API has set for all, then for the component. Only what the API can change is listed.',
      answer: 'Each value that is in use; beside it those that lie below.',
      schema: effectiveAnswer,
      models,
      query: { component: componentName.optional().describe('with the values that are its own') },
      problems: ['not-configured'],
      handler: async ({ query: { component } }) => {
        const set = (await readSet(pool, live.environment)) ?? { revision: FILE_ALONE, content: {}, since: {} };
        const values = fitting(() =>
          shownValues({ written: live.written, ...contentOf(set), since: set.since }, component),
        );
        const head = { environment: live.environment, revision: set.revision, component: component ?? null };
        const answer = { ...head, reader: { revision: live.revision() }, values };
        return one(answer);
      },
    }),
    queryRoute(settle, {
      path: '/configuration/environments/{name}',
      role: OPERATORS,
      summary: 'What the API has set for an environment',
      answer: 'What is set, and by which revision.',
      schema: environmentAnswer,
      models,
      params: z.strictObject({ name: environmentName }),
      handler: async ({ params: { name } }) => {
        const set = await readSet(pool, name);
        const { revision, content, since } = set ?? { revision: FILE_ALONE, content: {}, since: {} };
        const answer = { environment: name, revision, content, since };
        return one(answer);
      },
    }),
    queryRoute(settle, {
      path: '/configuration/revisions',
      role: OPERATORS,
      summary: 'What was changed, by whom and why',
      answer: 'A page of revisions.',
      schema: pageOf(configurationRevisionRow),
      models,
      query: { environment, ...pageParameters(list.sorts, '-changed') },
      handler: async ({ query: asked }) =>
        many(await readPage(pool, list, asked, (query) => void query.where('t.environment', asked.environment))),
    }),
    queryRoute(settle, {
      path: '/configuration/revisions/{revision}',
      role: OPERATORS,
      summary: 'One revision, with all that was set then',
      answer: 'The revision.',
      schema: configurationRevisionRow,
      models,
      params: z.strictObject({
        revision: z
          .string()
          .regex(/^\d{1,9}$/, 'a revision')
          .transform(Number),
      }),
      query: { environment },
      problems: ['not-found'],
      handler: async ({ params, query: asked }) => one(await readRevision(pool, asked.environment, params.revision)),
    }),
    queryRoute(settle, {
      path: '/configuration/diff',
      role: OPERATORS,
      summary: 'What leads from one revision to another',
      answer: 'The changes, value by value; one without a value is taken back.',
      schema: diffAnswer,
      models,
      query: { environment, from: revision, to: revision },
      problems: ['not-found'],
      handler: async ({ query: { environment: name, from, to } }) => {
        const [before, after] = await Promise.all([contentAt(pool, name, from), contentAt(pool, name, to)]);
        return many({ environment: name, from, to, changes: changesBetween(before, after) });
      },
    }),
    queryRoute(settle, {
      path: '/configuration/flags/{name}/evaluate',
      role: READERS,
      summary: 'Whether a flag is on for somebody',
      answer: 'Whether it is on, and why.',
      schema: flagVerdict,
      models,
      params: z.strictObject({ name: word }),
      query: { subject: short, attribute: several(attribute).optional().describe('such as repository:shop') },
      problems: ['not-found', 'not-configured'],
      handler: async ({ params: { name }, query: { subject, attribute: told = [] } }) => {
        await live.refresh();
        const flag = live.view('query-service').flags.find((known) => known.name === name);
        if (flag === undefined) throw new Problem('not-found', `there is no flag ${name}`);
        const attributes = Object.fromEntries(
          told.map((text) => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]),
        );
        return many({ name, ...evaluateFlag(flag, subject, attributes) });
      },
    }),
  ];
}

const contentOf = ({ content }: { readonly content: unknown }): { readonly content: Content } => ({
  content: content as Content,
});

/** @throws Problem `not-configured` where what is set does not fit the file any more */
function fitting<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new Problem('not-configured', `what is set does not fit the file: ${error.faults.join('; ')}`);
  }
}

async function readSet(pool: Pool, environment: EnvironmentName): Promise<ConfigurationRow | undefined> {
  const columns = selectList(configurationModel.columns);
  const text = `select ${columns} from read_models.configurations where id = $1`;
  const [row] = await selectRows<ConfigurationRow>(pool, text, [configurationId(environment)]);
  return row;
}

/** @throws Problem `not-found` */
async function readRevision(
  pool: Pool,
  environment: EnvironmentName,
  revision: number,
): Promise<ConfigurationRevisionRow> {
  const columns = selectList(configurationRevisionModel.columns);
  const text = `select ${columns} from read_models.configuration_revisions where id = $1`;
  const id = `${streamName('configuration', configurationId(environment))}@${revision}`;
  const [row] = await selectRows<ConfigurationRevisionRow>(pool, text, [id]);
  if (row === undefined) throw new Problem('not-found', `there is no revision ${revision} of ${environment}`);
  return row;
}

const contentAt = async (pool: Pool, environment: EnvironmentName, revision: number): Promise<Content> =>
  revision === FILE_ALONE ? {} : contentOf(await readRevision(pool, environment, revision)).content;
