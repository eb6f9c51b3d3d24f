import { existsSync, writeFileSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execFileSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { type DetachedProcess, startDetached } from '../detached-process.ts';
import { KAFKA, isZombie, stopProcess } from '../stop-process.ts';
import { javaEnvironment } from './java.ts';

const START_SECONDS = 120;

export type BrokerProcess = Pick<DetachedProcess, 'pid' | 'ended' | 'stop'>;

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
  // A broker here lives for minutes: what the second compiler would spend comes back to nobody (a start and 6,000 messages: 5.9 s of CPU, not 8.9).
  '-XX:TieredStopAtLevel=1',
  ...(existsSync(classArchive(jars)) ? [`-XX:SharedArchiveFile=${classArchive(jars)}`] : []),
  '-cp',
  join(jars, '*'),
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

/** Starts the broker and waits until it answers. @throws BrokerDidNotStart */
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
  const learning = options.learned === undefined ? [] : [`-XX:ArchiveClassesAtExit=${options.learned}`];
  const broker = startDetached(KAFKA, {
    program: options.java,
    args: [...learning, ...javaArguments(options.jars), 'kafka.Kafka', propertiesFile(folder)],
    cwd: folder,
    env: javaEnvironment(),
    logFile,
  });
  if (broker.pid > 0) writeFileSync(pidFile(folder), `${broker.pid}\n`);
  const deadline = performance.now() + START_SECONDS * 1_000;
  while (!(await brokerAnswers(port))) {
    if (!broker.isRunning()) throw new BrokerDidNotStart(broker.output() || (await broker.ended), logFile);
    if (performance.now() > deadline) {
      await broker.stop();
      throw new BrokerDidNotStart(`no answer for ${START_SECONDS} s`, logFile);
    }
    await sleep(50);
  }
  return broker;
}

/** The first exception's own words. */
function reasonIn(output: string): string {
  const lines = output.split('\n');
  const exception = lines.map((line) => /^[\w.$]+(?:Exception|Error): (.+)/.exec(line)?.[1]).find(Boolean);
  return (exception ?? lines.at(-1) ?? '').slice(0, 400);
}

const CORRELATION_ID = 7;

/**
 * Whether a broker at 127.0.0.1 answers a question of Kafka's protocol and counts itself among the living: an open port comes
 * earlier than that.
 * Source: https://kafka.apache.org/protocol#The_Messages_Metadata
 */
function brokerAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = Buffer.alloc(0);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('connect', () => socket.write(metadataRequest()));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      // Size, correlation id, number of brokers.
      if (received.length >= 12) end(received.readInt32BE(4) === CORRELATION_ID && received.readInt32BE(8) > 0);
    });
  });
}

/** Metadata, version 1, of no topic. */
function metadataRequest(): Buffer {
  const request = Buffer.alloc(18);
  request.writeInt32BE(14, 0); // size of what follows
  request.writeInt16BE(3, 4); // Metadata
  request.writeInt16BE(1, 6); // version
  request.writeInt32BE(CORRELATION_ID, 8);
  request.writeInt16BE(-1, 12); // client id: null
  request.writeInt32BE(0, 14); // topics: none
  return request;
}

export const pidFile = (folder: string): string => join(folder, 'broker.pid');
export const propertiesFile = (folder: string): string => join(folder, 'server.properties');

/**
 * Stops a broker that a killed process left running on the folder. Call it only as the holder of the folder's lock. Kafka's own
 * locks on its data end with its process.
 * @throws Error in one line when the broker does not stop
 */
export async function stopLeftoverBroker(folder: string, log: (line: string) => void): Promise<void> {
  const pid = Number(await readFile(pidFile(folder), 'utf8').catch(() => ''));
  if (pid > 1 && isBrokerOn(folder, pid)) {
    log(`Kafka (process ${pid}) is still running from last time: stopping it`);
    await stopProcess(KAFKA, pid, () => isBrokerOn(folder, pid));
  }
  await rm(pidFile(folder), { force: true });
}

/** Whether that process is alive and is the broker of this folder, and not a later process under a pid used again. */
export function isBrokerOn(folder: string, pid: number): boolean {
  if (isZombie(pid)) return false;
  try {
    const command = commandOf(pid);
    return command.includes('kafka.Kafka') && command.includes(propertiesFile(folder));
  } catch {
    return false;
  }
}

const commandOf = (pid: number): readonly string[] | string =>
  process.platform === 'linux'
    ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    : execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
