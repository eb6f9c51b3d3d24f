import { execFile } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { noProcessesOf, processesOf } from '../testing/processes/processes.ts';
import { startProgram, type Program } from '../testing/processes/program.ts';

const run = promisify(execFile);
const shell = async (line: string): Promise<string> =>
  (await run('sh', ['-c', line], { maxBuffer: 50_000_000 })).stdout;

let folder: SystemFolder;
let data: string;
beforeAll(async () => {
  folder = await systemFolder();
  // A space, so that the lines that the demo prints must be right for a shell.
  data = join(folder.path, 'the data');
});
afterAll(() => folder.remove());

const demo = (...args: string[]): Program =>
  startProgram('infra/local/demo/main.ts', ['--data', data, ...args], { cwd: folder.path });

const linesToLookAt = (output: string): string[] =>
  output
    .slice(output.indexOf('Where to look:'))
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '');

describe('npm run demo', { timeout: 120_000 }, () => {
  let succeeded: string;
  let failed: string;

  test('carries a GitHub issue to merged code and ends with exit code 0, leaving no process', async () => {
    const program = demo();
    expect(await program.ended).toBe(0);
    succeeded = program.written.stdout;
    expect(program.written.stderr).toBe('');
    expect(succeeded).toMatch(
      /webhook +accepted by rule "label"\n(.*\n)*.* evolve +keeps (.*\n)*.* task +complete, merged/,
    );
    expect(succeeded).toContain('the merged code passes its tests in a fresh clone');
    await noProcessesOf(folder.path);
  });

  test('prints plain lines where there is no terminal, and no secret', async () => {
    expect(succeeded).not.toContain('\u001b');
    const key = (await readFile(join(data, 'admin-key'), 'utf8')).trim();
    const secret = (await readFile(join(data, 'demo', 'webhook-secret'), 'utf8')).trim();
    expect([succeeded.includes(key), succeeded.includes(secret)]).toEqual([false, false]);
    expect((await stat(join(data, 'admin-key'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(data, 'demo', 'webhook-secret'))).mode & 0o777).toBe(0o600);
  });

  test('--failing shows the work sent back, undone and failed, with exit code 0', async () => {
    const program = demo('--failing');
    expect(await program.ended).toBe(0);
    failed = program.written.stdout;
    for (const shown of [
      /claim +claimed by careless-demo-agent/,
      /validate +failed: exit code 1: .+ → back-to-work/,
      /task +sent back to work/,
      /validate +failed: exit code 1: .+ → failed/,
      /undo +publish: branch deleted/,
      /undo +prepare: worktrees removed/,
      /task +failed at test: exit code 1\n +command: .* --test \(exit code 1\)\n( +\| .*\n){20} +whole log: artefact [0-9a-f]{64}/,
      /agent +freed/,
    ])
      expect(failed).toMatch(shown);
    await noProcessesOf(folder.path);
  });

  test('ends with lines for a shell that really show the diff and, once npm start runs, the audit trail', async () => {
    const [logLine = '', startLine = '', ...curls] = linesToLookAt(succeeded);
    expect(await shell(logLine)).toMatch(/^\+.*new Map\(\)/m);
    const [branchLine = '', , ...failedCurls] = linesToLookAt(failed);
    expect(await shell(branchLine)).toBe('* main\n');

    expect(startLine).toBe(`npm start -- --data '${data}'`);
    await writeFile(join(folder.path, 'workledger.json'), '{ "port": 0 }');
    const started = startProgram('infra/local/start.ts', ['--data', data], { cwd: folder.path });
    const [, url = ''] = await started.until(/ready: (\S+)\n/);
    const answers = async (lines: string[]): Promise<string[]> =>
      Promise.all(lines.map((line) => shell(line.replace('http://127.0.0.1:8080', url).replace('curl', 'curl -sf'))));
    const [task = '', stream = '', pipelines = ''] = await answers(curls);
    expect(JSON.parse(task)).toMatchObject({ state: 'complete', result: { merged: true } });
    expect(
      stream
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type),
    ).toEqual(expect.arrayContaining(['TaskCreated', 'TaskClaimed', 'TaskCompleted']));
    expect(JSON.parse(pipelines)).toMatchObject({ items: [{ state: 'completed' }] });
    const [failedTask = ''] = await answers(failedCurls);
    expect(JSON.parse(failedTask)).toMatchObject({ state: 'failed', failure: { step: 'test', exitCode: 1 } });
    started.signal('SIGTERM');
    expect(await started.ended).toBe(0);
  });

  test('leaves no worktree behind', async () => {
    expect(await readdir(join(data, 'attempts'))).toEqual([]);
    expect(await readdir(join(data, 'worktrees'))).toEqual([]);
  });

  test('Ctrl-C in the middle ends everything in order and says that the next demo goes on', async () => {
    const program = demo();
    await program.until(/ generate +the agent starts/);
    process.kill(-program.pid, 'SIGINT');
    expect(await program.ended).toBe(130);
    expect(program.written.output).toContain('Interrupted. The next demo finishes this task first.');
    expect(processesOf(folder.path)).toEqual([]);
  });
});
