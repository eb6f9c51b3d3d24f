import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../testing.ts';
import type { ResultOf } from '../catalogue.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

test('as many agents work at once as their capacity says', async () => {
  const waits = `import { readdirSync, writeFileSync } from 'node:fs'; import { dirname, join } from 'node:path';
    import { setTimeout as sleep } from 'node:timers/promises';
    const folder = dirname(process.argv[1]); writeFileSync(join(folder, 'here-' + process.pid), '');
    while (readdirSync(folder).filter((name) => name.startsWith('here-')).length < 3) await sleep(20);
    writeFileSync('new.txt', 'x');`;
  const made = createCodeWorld(store.artefacts, {
    agents: { agent: waits },
    agent: { capacity: 3, limits: { timeoutSeconds: 15 } },
  });
  onTestFinished(() => made.remove());
  const { signal } = new AbortController();
  const work = (label: string) =>
    made.call<ResultOf<'code.work'>>(
      'code.work',
      made.workRequest('agent', { label }),
      signal,
      `saga-${made.inRun.runId}/${label}`,
    );
  const results = await Promise.all(['one', 'two', 'three'].map(work));
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
});
