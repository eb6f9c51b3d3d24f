import { z } from 'zod';
import { streamTypes } from '../catalogue.ts';
import { schemaId, SOURCE_SERVICE } from './plain-cloud-event.ts';

const text = (description: string): z.ZodString => z.string().describe(description);

/** What every published event has around its data. CloudEvents lets anyone on the way add attributes, so others are allowed. */
const cloudEventSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.uuid().describe('Id of the event: the same on every repeat.'),
  source: z
    .string()
    .regex(/^\/workledger\/[a-z]+$/)
    .describe('/workledger/<context>'),
  type: z
    .string()
    .regex(/^workledger\.[a-z][a-z0-9-]*\.[A-Za-z][A-Za-z0-9._-]*\.v[1-9][0-9]*$/)
    .describe('workledger.<stream type>.<event type>.v<version>'),
  subject: text('The stream, which is the key of the Kafka message: <stream type>-<uuid>.'),
  time: z.iso.datetime().describe('When the log recorded the event; UTC.'),
  datacontenttype: z.literal('application/json'),
  dataschema: z.url().optional().describe('$id of the schema of `data`. Internal events have none.'),
  revision: z.int().min(0).describe('Place of the event in its stream, from 0, without gaps.'),
  position: z
    .string()
    .regex(/^[0-9]+$/)
    .describe('Place of the event in the whole log: opaque, but for its order as a number.'),
  correlationid: text('One id for everything that follows from one request.'),
  causationid: text('Id of the event or command that led to this one.').optional(),
  commandid: text('Id of the command that was accepted.'),
  commandhash: text('SHA-256 (hex) of the body of that command.'),
  actor: text('Opaque id of the caller.'),
  traceparent: text('W3C Trace Context.').optional(),
  data: z.looseObject({}).describe('The SystemEvent.'),
});

type Json = Readonly<Record<string, unknown>>;

/** A JSON Schema and the file below `schemas/` that it is published as. */
type PublishedSchema = { readonly file: string; readonly schema: Json };

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Every schema that the catalogue of today gives: of the envelope, and of each event that is not internal, in its current version. */
export const publishedSchemas = (): readonly PublishedSchema[] => [
  { file: 'cloud-event.json', schema: envelope() },
  ...streamTypes
    .filter(({ context }) => context !== 'saga')
    .flatMap(({ type: streamType, context, events }) =>
      Object.entries(events).map(([type, { version, schema, private: hidden = [] }]) => ({
        file: `${streamType}/${type}.v${version}.json`,
        schema: systemEvent({ streamType, context, type, version }, without(schema, hidden)),
      })),
    ),
];

/** @throws RangeError when a schema that has private fields is none of an object */
function without(schema: z.ZodType, hidden: readonly string[]): z.ZodType {
  if (hidden.length === 0) return schema;
  if (!(schema instanceof z.ZodObject)) throw new RangeError('only an object has private fields');
  const shown = Object.entries<z.ZodType>(schema.shape).filter(([name]) => !hidden.includes(name));
  return z.strictObject(Object.fromEntries(shown));
}

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

/**
 * Publishes the mark of a personal field as `x-personal`. Such a field may hold ciphertext later, so its schema must promise no
 * more than that it is a text.
 * @param field the JSON Schema of any field; changed in place
 * @throws RangeError when a personal field has rules of length or format, or is no text
 */
export function personalField(field: Record<string, unknown>, path: readonly (string | number)[]): void {
  const { personal, type, description: _, ...rules } = field;
  if (personal === undefined) return;
  if (type !== 'string' || Object.keys(rules).length > 0)
    throw new RangeError(
      `${path.join('/')}: a personal field is a text without rules, as it may hold ciphertext later`,
    );
  delete field['personal'];
  field['x-personal'] = personal;
}
