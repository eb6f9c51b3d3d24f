import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brokerAnswers } from './answers.ts';
import { pidFile, propertiesFile } from './leftover-broker.ts';
import { javaEnvironment } from './run-program.ts';
import { KAFKA, stopProcess } from '../stop-process.ts';

const LONGEST_LOG = 10_000_000;
const START_SECONDS = 120;

export type BrokerProcess = {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason, with how. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
};

/** The broker ended before it answered. `output`: what it wrote. */
export class BrokerDidNotStart extends Error {
  override name = 'BrokerDidNotStart';
  readonly output: string;
  constructor(output: string, logFile: string) {
    super(`Kafka did not start: ${reasonIn(output)} (whole log: ${logFile})`);
    this.output = output;
  }
}

/** What Java knows of Kafka's classes from an earlier start; where it does not fit, Java goes on without it. */
export const classArchive = (jars: string): string => join(jars, 'classes.jsa');

/** What the JVM needs to run a program of Kafka: it looks into the folder for `*` itself. */
export const javaArguments = (jars: string): string[] => [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  ...(existsSync(classArchive(jars)) ? [`-XX:SharedArchiveFile=${classArchive(jars)}`] : []),
  '-cp',
  join(jars, '*'),
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

/**
 * Starts the broker in a process group of its own (Ctrl-C must reach us first) and waits until it answers. Its log is a file,
 * not a pipe: it must outlive us.
 * @throws BrokerDidNotStart
 */
export async function startBrokerProcess(options: {
  readonly java: string;
  readonly jars: string;
  readonly folder: string;
  readonly port: number;
  /** Where Java leaves its class archive when the broker stops. */
  readonly learned?: string;
}): Promise<BrokerProcess> {
  const { folder, port } = options;
  const logFile = join(folder, 'broker.log');
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LONGEST_LOG) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'a+', 0o600);
  const logStart = fstatSync(log).size;
  const learning = options.learned === undefined ? [] : [`-XX:ArchiveClassesAtExit=${options.learned}`];
  const args = [...learning, ...javaArguments(options.jars), 'kafka.Kafka', propertiesFile(folder)];
  const child = spawn(options.java, args, {
    cwd: folder,
    env: javaEnvironment(),
    stdio: ['ignore', log, log],
    detached: true,
  });
  let running = true;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }).finally(() => (running = false));
  child.unref();
  const pid = child.pid ?? 0;
  if (pid > 0) writeFileSync(pidFile(folder), `${pid}\n`);
  const stop = (): Promise<void> => (running ? stopProcess(KAFKA, pid, () => running) : Promise.resolve());
  const deadline = performance.now() + START_SECONDS * 1_000;
  try {
    while (!(await brokerAnswers(port))) {
      if (!running) throw new BrokerDidNotStart(readFrom(log, logStart) || (await ended), logFile);
      if (performance.now() > deadline) {
        await stop();
        throw new BrokerDidNotStart(`no answer for ${START_SECONDS} s`, logFile);
      }
      await sleep(50);
    }
  } finally {
    closeSync(log);
  }
  return { pid, ended, stop };
}

function readFrom(file: number, start: number): string {
  const bytes = Buffer.alloc(Math.min(Math.max(fstatSync(file).size - start, 0), 100_000));
  readSync(file, bytes, 0, bytes.length, start);
  return bytes.toString('utf8').trim();
}

/** The first exception's own words. */
function reasonIn(output: string): string {
  const lines = output.split('\n');
  const exception = lines.map((line) => /^[\w.$]+(?:Exception|Error): (.+)/.exec(line)?.[1]).find(Boolean);
  return (exception ?? lines.at(-1) ?? '').slice(0, 400);
}
