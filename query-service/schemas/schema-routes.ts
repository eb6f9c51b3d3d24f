import { z } from 'zod';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Reply, type Route } from '@workledger/shared/http/route.ts';
import { readPublishedSchemas, type PublishedFile } from './published-schemas.ts';

const PATH = '/api/v1/schemas';
const EVENT = /^(?<streamType>[^/]+)\/(?<eventType>.+)\.v(?<version>\d+)$/;
const CACHE = { 'Cache-Control': 'public, max-age=3600' };

const schemaAnswer = {
  200: {
    description: 'A JSON Schema of draft 2020-12.',
    mediaType: 'application/schema+json',
    headers: { ETag: 'of the bytes' },
  },
};

const schemaEntry = z.object({
  streamType: z.string(),
  eventType: z.string(),
  version: z.int(),
  href: z.string(),
});

/**
 * The contract for other systems: what events look like on Kafka. Public, as the API's own description: a schema holds no data, and
 * who builds a consumer needs it before having a key.
 */
export function schemaRoutes(): readonly Route[] {
  const schemas = readPublishedSchemas();
  const reply = (name: string): Reply => {
    const found = schemas.get(name);
    if (found === undefined)
      throw new Problem('not-found', `there is no such schema; ${PATH} lists those that there are`);
    return schemaReply(found);
  };
  const events = [...schemas.keys()].flatMap((name) => eventEntry(name));
  return [
    route({
      method: 'get',
      path: PATH,
      role: 'public',
      summary: 'The JSON Schemas of published events',
      query: z.strictObject({}),
      answers: {
        200: {
          description: 'Of the envelope, and of the data of every event in each of its versions.',
          schema: z.object({ cloudEvent: z.string(), events: z.array(schemaEntry) }),
        },
      },
      handler: () => ({ json: { cloudEvent: `${PATH}/cloud-event`, events }, headers: CACHE }),
    }),
    route({
      method: 'get',
      path: `${PATH}/cloud-event`,
      role: 'public',
      summary: 'The JSON Schema of what is around the data of every event',
      query: z.strictObject({}),
      answers: schemaAnswer,
      handler: () => reply('cloud-event'),
    }),
    route({
      method: 'get',
      path: `${PATH}/{streamType}/{eventType}/{version}`,
      role: 'public',
      summary: 'The JSON Schema of the data of an event',
      description:
        'What `dataschema` of an event names by https://workledger.dev/schemas/{streamType}/{eventType}/{version}.',
      params: z.strictObject({ streamType: z.string(), eventType: z.string(), version: z.string() }),
      query: z.strictObject({}),
      answers: schemaAnswer,
      problems: ['not-found'],
      handler: ({ params: { streamType, eventType, version } }) => reply(`${streamType}/${eventType}.v${version}`),
    }),
  ];
}

function eventEntry(name: string): z.infer<typeof schemaEntry>[] {
  const { streamType, eventType, version } = EVENT.exec(name)?.groups ?? {};
  if (streamType === undefined || eventType === undefined) return [];
  return [{ streamType, eventType, version: Number(version), href: `${PATH}/${streamType}/${eventType}/${version}` }];
}

const schemaReply = ({ bytes, etag }: PublishedFile): Reply => ({
  bytes,
  mediaType: 'application/schema+json',
  headers: { ...CACHE, ETag: etag },
});
