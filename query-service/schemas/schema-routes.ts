import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Problem } from '@workledger/shared/http/problem.ts';
import { route, type Reply, type Route } from '@workledger/shared/http/route.ts';

/** A schema as it is served: the bytes of its file. */
type PublishedFile = { readonly bytes: Uint8Array; readonly etag: string };

/**
 * The published schemas by their path without `.json`: `cloud-event`, `task/TaskCreated.v1`. The files are what counts, not the
 * catalogue of today: older versions are in files only.
 * @throws Error when the files are not there: the installation is not whole
 */
function readPublishedSchemas(): ReadonlyMap<string, PublishedFile> {
  const folder = dirname(
    createRequire(import.meta.url).resolve('@workledger/shared/events/published/schemas/cloud-event.json'),
  );
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return new Map(files.toSorted().map((file) => [file.slice(0, -'.json'.length), published(join(folder, file))]));
}

function published(path: string): PublishedFile {
  const bytes = readFileSync(path);
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
}

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

/** Names as the list of schemas has them; what is none of these is not there. */
const name = z.string().meta({ pattern: '^[A-Za-z][A-Za-z0-9-]{0,99}$' });

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
      params: z.strictObject({
        streamType: name,
        eventType: name,
        version: z.string().meta({ pattern: '^[0-9]{1,9}$' }),
      }),
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
