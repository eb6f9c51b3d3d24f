import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { streamTypes } from '../catalogue.ts';
import { personal } from '../../contexts/define-events.ts';
import { publishedSchemas, personalField } from './json-schemas.ts';
import { createSchemaValidator, publishedFiles, publishedText } from './testing.ts';

const published = streamTypes.filter(({ context }) => context !== 'saga');
const events = published.flatMap(({ type: streamType, events }) =>
  Object.entries(events).map(([type, { version }]) => ({ streamType, type, version })),
);

describe('the published schemas', () => {
  test.each(publishedSchemas())('$file is the one of the catalogue', async ({ file, schema }) => {
    const text = await publishedText(file).catch(() => 'no such file');
    expect(text, 'run: npm run publish:schemas').toBe(`${JSON.stringify(schema, null, 2)}\n`);
  });

  test('are of every version that an event ever had, and of nothing else', async () => {
    const versions = events.flatMap(({ streamType, type, version }) =>
      Array.from({ length: version }, (_, before) => `${streamType}/${type}.v${before + 1}.json`),
    );
    expect(await publishedFiles()).toEqual(['cloud-event.json', ...versions].toSorted());
  });

  test('are sound JSON Schemas of draft 2020-12, each under the name that events give it', async () => {
    const { ids } = await createSchemaValidator();
    expect(ids).toEqual(
      expect.arrayContaining(
        events.map(
          ({ streamType, type, version }) => `https://workledger.dev/schemas/${streamType}/${type}/${version}`,
        ),
      ),
    );
  });

  test('say whose personal data a field is', () => {
    const created = publishedSchemas().find(({ file }) => file === 'task/TaskCreated.v1.json');
    expect(created?.schema).toMatchObject({
      properties: {
        payload: {
          properties: {
            description: { type: 'string', 'x-personal': { subject: 'requester' } },
            requester: { anyOf: [{ type: 'string', 'x-personal': { subject: 'requester' } }, { type: 'null' }] },
          },
        },
      },
    });
  });
});

describe('a personal field', () => {
  const publish = (schema: z.ZodType) => {
    const json = z.toJSONSchema(schema, { override: ({ jsonSchema, path }) => personalField(jsonSchema, path) });
    return json.properties?.['name'];
  };
  const marked = { personal: { subject: 'x' } };

  test('is published as a text without rules', () => {
    expect(publish(z.object({ name: personal('x') }))).toEqual({ type: 'string', 'x-personal': { subject: 'x' } });
  });
  test.each([
    ['a length', z.string().max(3).meta(marked)],
    ['a format', z.email().meta(marked)],
    ['a pattern', z.string().regex(/x/).meta(marked)],
    ['another type', z.int().meta(marked)],
  ])('may not have %s, since it may hold ciphertext later', (_, name) => {
    expect(() => publish(z.object({ name }))).toThrow('a personal field is a text without rules');
  });
});
