import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfiguration } from '@workledger/shared/config/load.ts';
import { standingConfiguration } from './configuration.ts';

const root = join(import.meta.dirname, '..', '..', '..');

test("the configuration of compose is the demo's, as the containers see it, and the sandbox is a condition", async () => {
  const { configuration } = await loadConfiguration('infra/docker/workledger.json', root);
  const asTheContainersSee = (text: string): string =>
    text.replaceAll(JSON.stringify(process.execPath), '"node"').replaceAll(root, '/app');
  const wanted: unknown = JSON.parse(asTheContainersSee(JSON.stringify(standingConfiguration('/demo'))));
  expect({ ...configuration, $schema: undefined }).toEqual({ ...(wanted as object), sandbox: 'required' });
});
