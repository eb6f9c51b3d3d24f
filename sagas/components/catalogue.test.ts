import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { expect, test } from 'vitest';
import { createComponents, createPerformer, createRemoteComponents } from './catalogue.ts';

const { logger } = captureLog();
const environment = {
  configuration: { repositories: [], agents: [] },
  artefacts: { put: () => Promise.reject(new Error('keeps nothing')), get: () => Promise.resolve(null) },
  readTask: () => Promise.resolve({ title: '', description: '', words: null }),
  dataFolder: '/nowhere',
  logger,
};
const outages = createOutages(logger);

test('where runners perform, there are the same components', () => {
  const remote = createRemoteComponents({ ...environment, urls: ['http://127.0.0.1:1'], key: '', outages });
  const names = (components: readonly { readonly name: string }[]) => components.map(({ name }) => name);
  expect(names(remote)).toEqual(names(createComponents(environment)));
});

test('a runner, where the code of strangers runs, speaks with no login of ours', async () => {
  const request = { taskId: 'task', runId: 'run', repository: 'sample' };
  const context = { key: 'saga-1/comment', signal: new AbortController().signal };
  const performing = createPerformer(environment)('github.comment', request, context, environment);
  await expect(performing).rejects.toThrow('this runner knows no component "github.comment"');
});
