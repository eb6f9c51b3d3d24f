import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { recorded, RECORDED_SESSION } from '@workledger/infra/testing/agents/recorded.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { ComponentFailure } from '../../../engine/component.ts';
import type { Note } from '../../../engine/notes.ts';
import type { ResultOf } from '../../catalogue.ts';
import { createCodeWorld, createTestArtefacts, type TestArtefacts } from '../../testing.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

type Name = keyof typeof recorded;
type Work = ResultOf<'code.work'>;

const mend = `writeFileSync('src/add.mjs', 'export const add = (a, b) => a + b;\\n');`;

/** A program that prints what is recorded, and leaves beside itself how it was started and what it was asked. */
const fake = (lines: readonly string[], { exit = 0, act = mend }: { exit?: number; act?: string } = {}): string => `
  import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
  import { dirname, join } from 'node:path';
  const home = process.env.AGENT_TEST_HOME ?? '';
  const args = process.argv.slice(2);
  const file = args.indexOf('--message-file');
  const prompt = file < 0 ? readFileSync(0, 'utf8') : readFileSync(args[file + 1], 'utf8');
  appendFileSync(join(dirname(process.argv[1]), 'starts'), JSON.stringify({ args, prompt }) + '\\n');
  ${act}
  for (const line of ${JSON.stringify(lines)}) console.log(line);
  process.exitCode = ${exit};`;

function world(profile: Name | 'command', script: string, agent: object = {}) {
  const made = createCodeWorld(store.artefacts, { agents: { agent: script }, agent: { profile, ...agent } });
  onTestFinished(() => made.remove());
  const starts = (): { args: string[]; prompt: string }[] =>
    readFileSync(join(made.folder, 'starts'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { args: string[]; prompt: string });
  return { ...made, starts };
}

const names = Object.keys(recorded) as Name[];

async function failureOf(work: Promise<unknown>): Promise<ComponentFailure> {
  const error: unknown = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof ComponentFailure) return error;
  throw error as Error;
}

describe.each(names)('an agent with the profile %s', (name) => {
  test('gets the prompt, and its change is taken with what it told of its work', async () => {
    const { call, workRequest, starts, text } = world(name, fake(recorded[name].good));
    const result = await call<Work>('code.work', workRequest('agent'));
    expect(result.diffStat).toEqual({ files: 1, insertions: 1, deletions: 1 });
    expect(result.agent).toMatchObject({ isResumed: false, tokens: { input: expect.any(Number) as number } });
    expect(starts()).toHaveLength(1);
    expect(starts()[0]?.prompt).toMatch(/^# Fix add\n/);
    expect(starts()[0]?.prompt).toBe(await text(result.prompt.digest));
  });

  test('rests where it met a limit, and nothing is charged', async () => {
    const { limited, limitedExit } = recorded[name];
    const { call, workRequest } = world(name, fake(limited, { exit: limitedExit, act: '' }));
    const failure = await failureOf(call('code.work', workRequest('agent')));
    expect(failure).toMatchObject({ fault: 'limit', costUsd: null, retryable: true });
  });

  test('fails by name, though it changed something', async () => {
    const { failed, failedExit } = recorded[name];
    const { call, workRequest } = world(name, fake(failed, { exit: failedExit }));
    const { fault, failure } = await failureOf(call('code.work', workRequest('agent')));
    expect(fault).toBe('work');
    expect(failure.reason).toMatch(/^agent "agent": (it|its) /);
    expect(failure.commit).toMatch(/^[0-9a-f]{40}$/);
  });
});

test('work that is missing is explained by what was refused', async () => {
  const { call, workRequest } = world('claude-code', fake(recorded['claude-code'].good, { act: '' }));
  const { failure } = await failureOf(call('code.work', workRequest('agent')));
  expect(failure.reason).toMatch(/^the agent changed nothing \(it was not allowed to use Bash 1/);
});

test('what it says and does is told while it works', async () => {
  const wait = `console.log(${JSON.stringify(recorded['claude-code'].good[2])});
    for (let tries = 0; tries < 200 && !existsSync(join(dirname(process.argv[1]), 'go')); tries += 1)
      await new Promise((wake) => setTimeout(wake, 50));`;
  const { call, workRequest, folder } = world('claude-code', fake([], { act: wait }));
  const notes: Note[] = [];
  const take = (note: Note): void => {
    notes.push(note);
    writeFileSync(join(folder, 'go'), '');
  };
  await failureOf(call('code.work', workRequest('agent'), undefined, undefined, take));
  expect(notes).toEqual([{ text: 'Edit', percent: null }]);
});

test('a command that tells nothing of its work has nothing told', async () => {
  const { call, workRequest } = world('command', fake([]));
  expect(await call<Work>('code.work', workRequest('agent'))).not.toHaveProperty('agent');
});

describe('a second attempt of the same run', () => {
  const feedback = { feedback: { reason: 'a test failed', log: null } };
  /** Finds and keeps sessions as Claude Code does: by the folder that it is in. */
  const claudeSessions = `
    const all = join(home, 'projects'), here = join(all, process.cwd().replace(/[^A-Za-z0-9]/g, '-'));
    const asked = args[args.indexOf('--resume') + 1];
    if (args.includes('--resume') && (!existsSync(join(here, asked + '.jsonl')) || process.env.AGENT_TEST_LOSES)) {
      console.log(JSON.stringify({ type: 'result', subtype: 'error_during_execution', is_error: true, num_turns: 0,
        errors: ['No conversation found with session ID: ' + asked] }));
      process.exit(1);
    }
    mkdirSync(here, { recursive: true });
    writeFileSync(join(here, '${RECORDED_SESSION}.jsonl'), '{}');
    ${mend}`;
  const codexSessions = `
    const day = join(home, 'sessions', '2026', '11', '29');
    mkdirSync(day, { recursive: true });
    writeFileSync(join(day, 'rollout-2026-11-29T12-00-00-${RECORDED_SESSION}.jsonl'), '{}');
    ${mend}`;

  function withHome(profile: 'claude-code' | 'codex', act: string, variables: Readonly<Record<string, string>> = {}) {
    const made = world(profile, fake(recorded[profile].good, { act }), {
      environment: ['AGENT_TEST_HOME', 'CLAUDE_CONFIG_DIR', 'CODEX_HOME', ...Object.keys(variables)],
    });
    const home = join(made.folder, 'home');
    mkdirSync(home);
    const all = { AGENT_TEST_HOME: home, CLAUDE_CONFIG_DIR: home, CODEX_HOME: home, ...variables };
    const before = Object.keys(all).map((key) => [key, process.env[key]] as const);
    Object.assign(process.env, all);
    onTestFinished(() => {
      for (const [key, value] of before)
        if (value === undefined) delete process.env[key];
        else process.env[key] = value;
    });
    const attempt = (label: string, more: object = {}, signal?: AbortSignal): Promise<Work> => {
      const request = made.workRequest('agent');
      const asked = { ...request, label, prompt: { ...request.prompt, ...more } };
      return made.call<Work>('code.work', asked, signal, `saga/${label}`);
    };
    return { ...made, home, attempt };
  }

  test.each([
    ['claude-code', claudeSessions, ['--resume', RECORDED_SESSION], { input: 10_000, output: 240 }],
    // Codex counts the tokens of the whole session: https://github.com/gitmoot/gitmoot/issues/661
    ['codex', codexSessions, ['resume', RECORDED_SESSION, '-'], { input: 0, output: 0 }],
  ] as const)('goes on with the session of the first, in another folder: %s', async (profile, act, args, tokens) => {
    const { attempt, starts, text } = withHome(profile, act);
    expect((await attempt('generate-1-1')).agent).toMatchObject({ session: RECORDED_SESSION, isResumed: false });
    const second = await attempt('generate-2-1', feedback);
    expect(second.agent).toMatchObject({ session: RECORDED_SESSION, isResumed: true, tokens });
    expect(starts().map((start) => start.args.slice(-args.length))[1]).toEqual(args);
    expect(starts()[1]?.prompt).toMatch(/^You worked on this before[^]*# Fix add[^]*a test failed/);
    expect(starts()[1]?.prompt).toBe(await text(second.prompt.digest));
  });

  test('begins anew with the same words where the session is not here', async () => {
    const { attempt, starts, home } = withHome('claude-code', claudeSessions);
    await attempt('generate-1-1');
    rmSync(join(home, 'projects'), { recursive: true });
    expect((await attempt('generate-2-1', feedback)).agent?.isResumed).toBe(false);
    expect(starts()).toHaveLength(2);
    expect(starts()[1]?.args).not.toContain('--resume');
    expect(starts()[1]?.prompt).toMatch(/^# Fix add[^]*a test failed/);
  });

  test('begins anew where the agent itself does not find the session', async () => {
    const { attempt, starts } = withHome('claude-code', claudeSessions, { AGENT_TEST_LOSES: '1' });
    await attempt('generate-1-1');
    expect((await attempt('generate-2-1', feedback)).agent?.isResumed).toBe(false);
    expect(starts().map(({ args }) => args.includes('--resume'))).toEqual([false, true, false]);
  });

  test('is the only one that does: neither a first attempt nor an improvement goes on with it, and it goes with the run', async () => {
    const { attempt, starts, call, dataFolder } = withHome('claude-code', claudeSessions);
    await attempt('generate-1-1');
    await attempt('generate-1-1');
    await attempt('candidate-1', { purpose: 'improve', ...feedback });
    expect(starts().some(({ args }) => args.includes('--resume'))).toBe(false);
    expect(readdirSync(join(dataFolder, 'sessions'))).toHaveLength(1);
    await call('code.cleanup', {});
    expect(existsSync(join(dataFolder, 'sessions'))).toBe(true);
    expect(readdirSync(join(dataFolder, 'sessions'))).toEqual([]);
  });

  const hanging = {
    'claude-code': `
      const all = join(home, 'projects'), here = join(all, process.cwd().replace(/[^A-Za-z0-9]/g, '-'));
      const at = (name) => args.includes(name) ? args[args.indexOf(name) + 1] : null;
      const resumes = at('--resume'), session = resumes ?? at('--session-id');
      if (resumes !== null && !existsSync(join(here, resumes + '.jsonl'))) process.exit(9);
      mkdirSync(here, { recursive: true });
      appendFileSync(join(here, session + '.jsonl'), '{}');`,
    codex: `
      const resumes = args.includes('resume') ? args[args.indexOf('resume') + 1] : null;
      const day = join(home, 'sessions', '2026', '11', '30');
      mkdirSync(day, { recursive: true });
      writeFileSync(join(day, 'rollout-2026-11-30T00-00-00-${RECORDED_SESSION}.jsonl'), '{}');
      console.log(${JSON.stringify(recorded.codex.good[0])});`,
  };

  test.each(['claude-code', 'codex'] as const)(
    'that is none: what was killed while it worked goes on with its own session when it is begun anew: %s',
    async (profile) => {
      const until = `if (resumes === null) await new Promise((wake) => setTimeout(wake, 60_000));`;
      const { attempt, starts, text, dataFolder } = withHome(profile, `${hanging[profile]}${until}${mend}`);
      const killed = new AbortController();
      const first = attempt('generate-1-1', {}, killed.signal).catch((error: unknown) => error);
      // As soon as its session can be found.
      const sessions = join(dataFolder, 'sessions');
      await untilTrue(
        () => existsSync(sessions) && readdirSync(sessions).some((run) => readdirSync(join(sessions, run)).length > 0),
      );
      await untilTrue(() => existsSync(join(dataFolder, '..', 'starts')));
      await untilTrue(() =>
        readdirSync(join(dataFolder, '..', 'home'), { recursive: true }).some((name) =>
          String(name).endsWith('.jsonl'),
        ),
      );
      killed.abort(new Error('killed'));
      expect(await first).toMatchObject({ retryable: true });
      const again = await attempt('generate-1-1');
      expect(again.diffStat).toEqual({ files: 1, insertions: 1, deletions: 1 });
      expect(again.agent).toMatchObject({ isResumed: true, tokens: { input: expect.any(Number) as number } });
      const [one, two, ...more] = starts();
      expect(more).toEqual([]);
      const session = profile === 'codex' ? RECORDED_SESSION : one!.args.at(-1)!;
      expect(session).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
      if (profile === 'claude-code') expect(one!.args.slice(-2)).toEqual(['--session-id', session]);
      expect(two!.args.join(' ')).toContain(`resume ${session}`);
      expect(two!.prompt).toMatch(/^You began this before[^]*# Fix add/);
      expect(two!.prompt).toBe(await text(again.prompt.digest));
    },
  );
});
