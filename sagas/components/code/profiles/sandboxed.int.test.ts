import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { recorded, RECORDED_SESSION } from '@workledger/infra/testing/agents/recorded.ts';
import type { ResultOf } from '../../catalogue.ts';
import { describeWithSandbox } from '../../sandbox/testing.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../../testing.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

type Work = ResultOf<'code.work'>;

/** Says how it was started and what it read, does its work, and keeps a session in its home as Claude Code does. */
const program = (lines: readonly string[]): string => `
  import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  const args = process.argv.slice(2);
  const file = args.indexOf('--message-file');
  const prompt = readFileSync(file < 0 ? 0 : args[file + 1], 'utf8');
  const here = join(process.env.HOME, '.claude', 'projects', process.cwd().replace(/[^A-Za-z0-9]/g, '-'));
  const kept = existsSync(join(here, '${RECORDED_SESSION}.jsonl'));
  mkdirSync(here, { recursive: true });
  writeFileSync(join(here, '${RECORDED_SESSION}.jsonl'), '{}');
  writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');
  console.log('READ ' + JSON.stringify({ kept, resumes: args.includes('--resume'), begins: prompt.slice(0, 9) }));
  for (const line of ${JSON.stringify(lines)}) console.log(line);`;

function world(profile: 'claude-code' | 'aider') {
  const made = createCodeWorld(store.artefacts, {
    agents: { agent: program(recorded[profile].good) },
    agent: { profile },
    sandbox: { hidden: [], api: null },
  });
  onTestFinished(() => made.remove());
  return {
    ...made,
    read: async ({ output }: Work): Promise<unknown> =>
      JSON.parse(/^READ (.*)$/m.exec(await made.text(output.digest))?.[1] ?? 'null'),
  };
}

describeWithSandbox('in the sandbox', () => {
  test('an agent reads its prompt from the file that it is named', async () => {
    const { call, workRequest, read } = world('aider');
    const work = await call<Work>('code.work', workRequest('agent'));
    expect(await read(work)).toMatchObject({ begins: '# Fix add' });
  });

  test('a session is found in its home there, and laid where the next folder looks for it', async () => {
    const { call, workRequest, read } = world('claude-code');
    const request = workRequest('agent');
    const first = await call<Work>('code.work', request);
    expect(await read(first)).toEqual({ kept: false, resumes: false, begins: '# Fix add' });
    const prompt = { ...request.prompt, feedback: { reason: 'a test failed', log: null } };
    const second = await call<Work>('code.work', { ...request, label: 'generate-2-1', prompt });
    expect(await read(second)).toEqual({ kept: true, resumes: true, begins: 'You worke' });
    expect(second.agent?.isResumed).toBe(true);
  });
});
