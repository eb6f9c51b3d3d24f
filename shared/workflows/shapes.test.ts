import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandTypes, declarationOf } from '../commands/catalogue.ts';
import { streamTypes } from '../events/catalogue.ts';
import { withoutPersonal } from '../events/personal.ts';
import { shapeAt, shapeOf, shapeOfValue, whyNot } from './shapes.ts';

const EXAMPLES = join(import.meta.dirname, '../events/examples');

/** Every place in a value, with what stands there. */
const placesIn = (value: unknown, path: readonly string[] = []): readonly (readonly [readonly string[], unknown])[] => [
  [path, value],
  ...(typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, item]) => placesIn(item, [...path, name]))
    : []),
];

describe('the shape of an event', () => {
  const events = streamTypes.flatMap(({ type: stream, events: all }) =>
    Object.entries(all).map(([type, definition]) => [`${stream}/${type}`, definition] as const),
  );
  it.each(events)('has all that %s tells, and nothing that is personal', async (file, { version, schema }) => {
    const data: unknown = JSON.parse(await readFile(join(EXAMPLES, `${file}.v${version}.json`), 'utf8'));
    const shape = shapeOf(schema);
    for (const [path, value] of placesIn(withoutPersonal(schema, data))) {
      const found = shapeAt(shape, path);
      expect([path, found === null ? 'nothing' : whyNot(shapeOfValue(value), found)]).toEqual([path, null]);
    }
  });
  it('has no field that is personal, nor one that there is not', () => {
    const { schema } = streamTypes.find(({ type }) => type === 'user')?.events['UserCreated'] ?? {};
    const shape = shapeOf(schema!);
    const isThere = (field: string): boolean => shapeAt(shape, [field]) !== null;
    expect(['userId', 'name', 'email', 'none'].map(isThere)).toEqual([true, false, false, false]);
  });
});

it.each(commandTypes)('what %s takes has a shape', (type) => {
  const { data } = declarationOf(type);
  expect(shapeAt(shapeOf(data), ['a field that there is not'])).toBeNull();
});
