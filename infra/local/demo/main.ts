import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { createLogger } from '@workledger/shared/telemetry/logger.ts';
import { agentNames } from '../agent-names.ts';
import { fail, oneLine } from '@workledger/shared/service/fail.ts';
import { createPrinter, followSteps } from '../step-lines/printer.ts';
import { stopSignal } from '@workledger/shared/service/stop-signal.ts';
import { startSystem, type System } from '../system.ts';
import { createClient } from './client.ts';
import {
  demoConfiguration,
  githubName,
  knownRuns,
  noteFailing,
  originOf,
  SENDER,
  webhookSecret,
} from './configuration.ts';
import { finishInterrupted } from './finish-interrupted.ts';
import { labeledIssueDelivery } from './github-delivery.ts';
import { judge } from './judge.ts';
import { createSampleRepository } from './sample/create-sample-repository.ts';
import { sampleIssue } from './sample/issue.ts';
import { untilFinal } from './until-final.ts';
import { whereToLook } from './where-to-look.ts';

const HELP = `The main job, live: a GitHub issue about a sample repository becomes a task, an agent writes code, evolution makes it
faster, its tests validate it, and it is merged. Everything runs in this one process, on a PostgreSQL of its own.

Usage: npm run demo -- [options]

  --failing        an agent whose code breaks a test: sent back once, then undone and failed
  --keep           leave the system running afterwards, until Ctrl-C
  --data DIR       data folder (default: .workledger)
  --help           this text

Exit code 0: everything that the demo shows really happened; 1: it did not; 2: wrong usage; 130: interrupted.
`;

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const failing = options.failing === true;
  const dataFolder = resolve(options.data ?? '.workledger');
  const folder = join(dataFolder, 'demo');

  const earlier = await knownRuns(folder);
  const run = (earlier.at(-1)?.run ?? 0) + 1;
  const { secret } = await webhookSecret(folder);
  if (failing) await noteFailing(folder, run);
  await createSampleRepository(originOf(folder, run));

  const configuration = demoConfiguration(dataFolder, folder, [...earlier, { run, failing }]);
  const logger = createLogger({ service: 'workledger', level: configuration.logLevel }, process.stderr);
  say(
    `Workledger demo. No model is reachable on a bare machine: the agent is a small program that really edits files.`,
  );
  const stopAsked = stopSignal();
  const system = await startSystem({ configuration, folder, dataFolder, logger });
  const following = new AbortController();
  const print = createPrinter(process.stdout, agentNames(configuration));
  const steps = followSteps(system.log, system.startedAt, print, following.signal).catch(() => undefined);
  try {
    const shown = show({ system, configuration, run, failing, secret, folder, dataFolder });
    const failed = system.failed.then((error) => Promise.reject(error));
    const ok = await Promise.race([shown, stopAsked.then(() => null), failed]);
    if (ok === null) say('Interrupted. The next demo finishes this task first.');
    else if (options.keep === true) {
      say(`The system stays at ${system.url}. Ctrl-C stops it.`);
      await stopAsked;
    }
    process.exitCode = ok === null ? 130 : ok ? 0 : 1;
  } finally {
    following.abort();
    await steps;
    await system.stop();
  }
  process.exit();
}

type Showing = {
  readonly system: System;
  readonly configuration: Configuration;
  readonly run: number;
  readonly failing: boolean;
  readonly secret: string;
  readonly folder: string;
  readonly dataFolder: string;
};

/** Delivers the issue, waits for the end of the task, and looks whether all that was shown is true. */
async function show({ system, configuration, run, failing, secret, folder, dataFolder }: Showing): Promise<boolean> {
  const client = createClient(system.url, system.adminKey.key);
  await finishInterrupted(client, configuration, say);
  const issue = { ...sampleIssue, number: run };
  say(`${githubName(run)}#${run}: "${issue.title}" gets the label workledger`);
  const { taskId, reason } = await client.deliver(labeledIssueDelivery(githubName(run), issue, SENDER, secret));
  if (taskId === null) throw new Error(`the delivery was ignored: ${reason}`);

  const task = await untilFinal(client, taskId);
  const verdict = await judge({ client, configuration, log: system.log, task, failing, origin: originOf(folder, run) });
  say(verdict.text);
  say(whereToLook({ task, failing, origin: originOf(folder, run), dataFolder, keyFile: system.adminKey.file }));
  return verdict.ok;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function readOptions(): { failing?: boolean; keep?: boolean; data?: string; help?: boolean } {
  try {
    const flag = { type: 'boolean' } as const;
    return parseArgs({
      options: { failing: flag, keep: flag, data: { type: 'string' }, help: { ...flag, short: 'h' } },
    }).values;
  } catch (error) {
    process.stderr.write(`${oneLine(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

main().catch(fail);
