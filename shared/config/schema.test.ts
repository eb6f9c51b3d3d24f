import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { configurationJsonSchema } from './schema.ts';

test('the published JSON Schema is the one of the code (publish-json-schema.program.ts writes it anew)', async () => {
  const published = await readFile(new URL('./configuration.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(configurationJsonSchema())));
});

test('the JSON Schema refuses unknown fields and has the bounds of the code', () => {
  expect(configurationJsonSchema()).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    additionalProperties: false,
    properties: { port: { type: 'integer', minimum: 0, maximum: 65535 } },
  });
});
