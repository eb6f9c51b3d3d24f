import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serviceCommands } from '@workledger/command-service/api/may-send.ts';
import { commands } from '@workledger/shared/commands/catalogue.ts';
import { expect, test } from 'vitest';

const sagas = fileURLToPath(new URL('../../sagas', import.meta.url));

/** What sagas of earlier versions had asked for, and may still be on its way. */
const ofEarlierVersions = ['task.expire-claim'];

test('a service may send just what sagas and their agents send: no command less, and none more', () => {
  const sources = readdirSync(sagas, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|testing|node_modules/.test(file))
    .map((file) => readFileSync(join(sagas, file), 'utf8'));
  const words = new Set(
    sources.flatMap((source) => [...source.matchAll(/'([a-z-]+\.[a-z-]+)'/g)].map(([, word]) => word!)),
  );
  expect([...serviceCommands].sort()).toEqual(
    [...words, ...ofEarlierVersions].filter((word) => Object.hasOwn(commands, word)).sort(),
  );
});
