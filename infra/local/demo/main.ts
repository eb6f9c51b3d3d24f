import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { fail, keepToOurselves, stopSignal } from '@workledger/shared/service/program.ts';
import { createPrinter } from '../step-lines/printer.ts';
import { makeDataFolder } from '../postgres/home.ts';
import { openAgainst } from './against.ts';
import type { Receipt } from './client.ts';
import { openEmbedded } from './embedded.ts';
import { say, show } from './show.ts';
import type { Stage } from './stage.ts';

const HELP = `The main job, live: a GitHub issue about a sample repository becomes a task, an agent writes code, evolution makes it
faster, its tests validate it, and it is merged. Everything runs in this one process, on a PostgreSQL of its own, unless
--against names a system that runs already (npm run start:distributed -- --native, or docker compose up).

Usage: npm run demo -- [options]

  --failing        an agent whose code breaks a test: sent back once, then undone and failed
  --keep           leave the system running afterwards, until Ctrl-C
  --data DIR       data folder (default: .workledger)
  --against URL    a running system: its gateway, or twice: its command-service and its query-service
  --key FILE       with --against: the administrator's key (default: DIR/distributed/admin-key)
  --folder DIR     with --against: where that system has the sample repositories (default: DIR/demo of --data)
  --help           this text

Exit code 0: everything that the demo shows really happened; 1: it did not; 2: wrong usage; 130: interrupted.
`;

async function main(): Promise<void> {
  keepToOurselves();
  const options = readOptions();
  if (options.help === true) {
    process.stdout.write(HELP);
    return;
  }
  say(
    `Workledger demo. No model is reachable on a bare machine: the agent is a small program that really edits files.`,
  );
  const stopAsked = stopSignal();
  await makeDataFolder(resolve(options.data ?? '.workledger'));
  const stage = await openStage(options);
  try {
    const ok = await play(stage, stopAsked);
    if (ok === null) say('Interrupted. The next demo finishes this task first.');
    else if (options.keep === true) {
      say(`The system stays at ${stage.url}. Ctrl-C stops it.`);
      await stopAsked;
    }
    process.exitCode = ok === null ? 130 : ok ? 0 : 1;
  } finally {
    await stage.stop();
  }
  process.exit();
}

function openStage({ against, data, failing = false, folder, key }: Options): Promise<Stage> {
  const dataFolder = resolve(data ?? '.workledger');
  if (against === undefined) return openEmbedded(dataFolder, failing);
  return openAgainst({
    addresses: against,
    folder: resolve(folder ?? join(dataFolder, 'demo')),
    keyFile: resolve(key ?? join(dataFolder, 'distributed', 'admin-key')),
    failing,
  });
}

/** Shows the job and its steps. Answers whether all was as shown; null when it was interrupted. */
async function play(stage: Stage, stopAsked: Promise<unknown>): Promise<boolean | null> {
  const following = new AbortController();
  let onDelivered: (receipt: Receipt) => void = () => undefined;
  const delivered = new Promise<Receipt>((resolveReceipt) => (onDelivered = resolveReceipt));
  const print = createPrinter(process.stdout, stage.agentName);
  const steps = stage
    .follow(delivered, print, following.signal)
    .catch((error: unknown) => say(`The steps cannot be followed: ${oneLine(error)}`));
  try {
    return await Promise.race([show(stage, onDelivered), stopAsked.then(() => null), stage.failed]);
  } finally {
    following.abort();
    await steps;
  }
}

type Options = {
  failing?: boolean;
  keep?: boolean;
  data?: string;
  against?: string[];
  key?: string;
  folder?: string;
  help?: boolean;
};

function readOptions(): Options {
  try {
    const flag = { type: 'boolean' } as const;
    const text = { type: 'string' } as const;
    const options = {
      failing: flag,
      keep: flag,
      data: text,
      against: { ...text, multiple: true },
      key: text,
      folder: text,
      help: { ...flag, short: 'h' },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${oneLine(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

main().catch(fail);
