import { z } from 'zod';
import { streamTypes } from '../catalogue.ts';
import { cloudEventSchema } from './cloud-event-schema.ts';
import { personalField } from './personal-field.ts';
import { schemaId, SOURCE_SERVICE } from './names.ts';

type Json = Readonly<Record<string, unknown>>;

/** A JSON Schema and the file below `schemas/` that it is published as. */
export type PublishedSchema = { readonly file: string; readonly schema: Json };

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Every schema that the catalogue of today gives: of the envelope, and of each event that is not internal, in its current version. */
export const publishedSchemas = (): readonly PublishedSchema[] => [
  { file: 'cloud-event.json', schema: envelope() },
  ...streamTypes
    .filter(({ context }) => context !== 'saga')
    .flatMap(({ type: streamType, context, events }) =>
      Object.entries(events).map(([type, { version, schema }]) => ({
        file: `${streamType}/${type}.v${version}.json`,
        schema: systemEvent({ streamType, context, type, version }, schema),
      })),
    ),
];

type Name = {
  readonly streamType: string;
  readonly context: string;
  readonly type: string;
  readonly version: number;
};

/** The SystemEvent: `data` of the CloudEvent. Fields that are not named here may be added to it, not to its payload. */
const systemEvent = ({ streamType, context, type, version }: Name, payload: z.ZodType): Json => ({
  $schema: DIALECT,
  $id: schemaId(streamType, type, version),
  title: `${type}, version ${version}`,
  description: `The data of the CloudEvent workledger.${streamType}.${type}.v${version}: something that happened to a ${streamType}. Topic: ${context}.`,
  type: 'object',
  properties: {
    event_id: { type: 'string', format: 'uuid', description: 'As the id of the CloudEvent.' },
    event_type: { type: 'string', const: type },
    source_service: { type: 'string', const: SOURCE_SERVICE },
    target_services: { type: 'array', items: { type: 'string' }, description: 'Empty: for whoever subscribes.' },
    timestamp: { type: 'string', format: 'date-time', description: 'As the time of the CloudEvent.' },
    correlation_id: { type: 'string', description: 'One id for everything that follows from one request.' },
    version: { type: 'integer', const: version, description: 'Of the schema of the payload.' },
    payload: jsonSchema(`${streamType}/${type}`, payload),
  },
  required: [
    'event_id',
    'event_type',
    'source_service',
    'target_services',
    'timestamp',
    'correlation_id',
    'version',
    'payload',
  ],
});

const envelope = (): Json => ({
  $schema: DIALECT,
  $id: schemaId('cloud-event'),
  title: 'An event of Workledger',
  description:
    'A CloudEvent 1.0 in structured mode, as it is the value of a Kafka message. `data` is told by `dataschema`.',
  ...jsonSchema('cloud-event', cloudEventSchema),
});

function jsonSchema(where: string, schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'output',
    override: ({ jsonSchema: field, path }) => personalField(field, [where, ...path]),
  });
  return rest;
}
