import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { named } from './heaviest-first.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const ROOMS = ['shared', 'command-service', 'projections', 'sagas', 'query-service', 'infra'];

test('whatever is named as long is there: a file that is renamed would begin last again', () => {
  const files = ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
      .map((path) => `/${room}/${path}`),
  );
  expect(named.filter((one) => !files.some((file) => one.test(file)))).toEqual([]);
});
