import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DemoClient, TaskView } from './client.ts';
import { demoAgents } from './configuration.ts';

const run = promisify(execFile);

export type Judging = {
  readonly client: DemoClient;
  readonly task: TaskView;
  readonly failing: boolean;
  /** The sample's bare repository. */
  readonly origin: string;
};

export type Verdict = {
  readonly ok: boolean;
  readonly text: string;
};

/** Looks for itself whether what the demo shows is true: the merged code's tests, or the way back. */
export async function judge(judging: Judging): Promise<Verdict> {
  const faults = judging.failing ? await faultsOfFailure(judging) : await faultsOfSuccess(judging);
  const seen = judging.failing
    ? 'The work was sent back once, failed again, was undone, and the task says why.'
    : 'The task is complete, and the merged code passes its tests in a fresh clone.';
  return {
    ok: faults.length === 0,
    text: `\n${faults.length === 0 ? seen : `Not as it should be:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`}`,
  };
}

async function faultsOfSuccess({ task, origin }: Judging): Promise<string[]> {
  if (task.state !== 'complete' || task.result?.merged !== true) return [`the task is ${task.state}`];
  const folder = await mkdtemp(join(tmpdir(), 'workledger-demo-'));
  try {
    await run('git', ['clone', '--quiet', '--branch', 'main', origin, folder]);
    const { stdout } = await run('git', ['-C', folder, 'rev-parse', 'HEAD']);
    if (stdout.trim() !== task.result.commit) return [`main is at ${stdout.trim()}, not at ${task.result.commit}`];
    await run(process.execPath, ['--test'], { cwd: folder, env: { PATH: process.env['PATH'] } });
    return [];
  } catch (error) {
    return [`the merged code fails its tests: ${(error as Error).message}`];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function faultsOfFailure({ client, task, origin }: Judging): Promise<string[]> {
  const types = (await client.eventsOf(`task-${task.id}`)).map(({ type }) => type);
  const { stdout: branches } = await run('git', ['-C', origin, 'branch', '--list', 'workledger/*']);
  return [
    task.state === 'failed' ? '' : `the task is ${task.state}, not failed`,
    types.includes('TaskSentBack') ? '' : 'the work was not sent back',
    (task.failure?.exitCode ?? null) !== null ? '' : 'the failure has no exit code',
    branches.trim() === '' ? '' : `the branch is still there: ${branches.trim()}`,
    (await isFreed(client)) ? '' : 'the agent was not freed',
  ].filter((fault) => fault !== '');
}

async function isFreed(client: DemoClient): Promise<boolean> {
  for (let look = 0; look < 50; look++) {
    const agents = (await client.agents()).filter(({ name }) => demoAgents.some((agent) => agent.name === name));
    if (agents.every(({ status }) => status !== 'busy')) return true;
    await pause(100);
  }
  return false;
}
