import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { streamTypes } from '../catalogue.ts';
import type { EventDefinition } from '../../contexts/define-events.ts';

// npm run keep:examples: after each new event or version. What is kept already stays as it is: it is what was written.

type Json = Readonly<Record<string, unknown>>;

const ID = '0198c0de-0000-7000-8000-000000000001';
/** Texts of the forms that schemas ask for. */
const FORMS = ['a text', '1.1', '12', '0'.repeat(40), '0'.repeat(64), `sha256:${'0'.repeat(64)}`];

/** One of what the schema allows, with every optional field. */
function example(schema: Json): unknown {
  if (schema['const'] !== undefined) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const options = (schema['anyOf'] ?? schema['oneOf']) as readonly Json[] | undefined;
  if (options !== undefined) return example(options[0]!);
  const type: unknown = schema['type'];
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object': {
      const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Json>);
      const others = schema['additionalProperties'];
      const more = typeof others === 'object' ? [['any', example(others as Json)] as const] : [];
      return Object.fromEntries([...fields.map(([name, field]) => [name, example(field)] as const), ...more]);
    }
    case 'array':
      return [example(schema['items'] as Json)];
    case 'string': {
      if (schema['format'] === 'uuid') return ID;
      if (schema['format'] === 'date-time') return '2026-01-01T00:00:00.000Z';
      const pattern = new RegExp((schema['pattern'] as string | undefined) ?? '');
      return FORMS.find((form) => pattern.test(form)) ?? '';
    }
    case 'integer':
    case 'number':
      return Math.max(1, (schema['minimum'] as number | undefined) ?? 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return { any: 'thing' };
  }
}

function exampleOf({ schema, holds }: Pick<EventDefinition, 'schema' | 'holds'>): unknown {
  const data = example(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }));
  if (holds !== true) return data;
  const source = { ...(data as { source: object }).source, stream: `task-${ID}` };
  return { ...(data as object), source, type: 'TaskCancelled', version: 1, data: { claimId: ID, reason: 'a text' } };
}

for (const { type: streamType, events } of streamTypes)
  for (const [type, definition] of Object.entries(events)) {
    const versions = { ...definition.past, [definition.version]: definition };
    for (const [version, { schema }] of Object.entries(versions)) {
      const file = join(import.meta.dirname, streamType, `${type}.v${version}.json`);
      if ((await readFile(file).catch(() => null)) !== null) continue;
      const holds = definition.holds === undefined ? {} : { holds: definition.holds };
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `${JSON.stringify(exampleOf({ schema, ...holds }), null, 2)}\n`);
      process.stdout.write(`kept: ${streamType}/${type}.v${version}.json\n`);
    }
  }
