import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { streamType, streamId } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { Note } from '@workledger/sagas/engine/notes.ts';
import { agentIdOf } from '@workledger/sagas/components/environment.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { harmless } from '@workledger/shared/telemetry/one-line.ts';
import { describe, noteText, type Described, type StepLine } from './describe.ts';

type Out = { write(text: string): unknown; readonly isTTY?: boolean };

const COLOURS = { plain: '', good: '\u001b[32m', bad: '\u001b[31m', quiet: '\u001b[2m' } as const;
const RESET = '\u001b[0m';

/** @param isPast it is not printed: what it tells of others is remembered */
type PrintEvent = (event: RecordedEvent, isPast?: boolean) => void;

type Printer = PrintEvent & {
  /** Prints how far an agent is, at most once in some seconds a task: few notes become events. */
  note(taskId: string, note: Note): void;
};

/** Milliseconds between two notes of one task that are printed. */
const NOTES_EVERY = 5_000;

/**
 * Prints the steps of every task as they happen: wall-clock time, the seconds since its task began, and the end of the task's id (the
 * start of it is the same for all that were created within a minute). The first line about a task is its title and its whole id.
 */
export function createPrinter(out: Out, agentName: (id: string) => string): Printer {
  const began = bounded<number>();
  const tasks = bounded<string>();
  const titles = bounded<string>();
  const noted = bounded<number>();
  const colour = out.isTTY === true && process.env['NO_COLOR'] === undefined;

  const write = (line: StepLine, key: string, task: string | null, recordedAt: Date): void => {
    const at = recordedAt.getTime();
    const first = began.get(key) === undefined;
    began.set(key, began.get(key) ?? at);
    const elapsed = (at - (began.get(key) ?? 0)) / 1000;
    const head = { at: recordedAt, elapsed, task, colour };
    if (task !== null && first) {
      const title = titles.get(task);
      out.write(
        format({ step: 'task', text: title === undefined ? task : `"${title}" is ${task}`, tone: 'plain' }, head),
      );
    }
    out.write(format(line, head));
  };

  const print = (event: RecordedEvent, isPast = false): void => {
    const line = describe(event as unknown as Described, { agent: agentName });
    const task = taskOf(event, tasks);
    if (task !== null && event.type === 'TaskCreated') titles.set(task, (event.data as { title: string }).title);
    if (line === null || isPast) return;
    if (event.type === 'TaskProgressReported' && task !== null) {
      if (isRecent(noted.get(task))) return;
      noted.set(task, Date.now());
    }
    write(line, task ?? event.stream, task, event.recordedAt);
  };
  const note = (taskId: string, { text, percent }: Note): void => {
    if (isRecent(noted.get(taskId))) return;
    noted.set(taskId, Date.now());
    write({ step: 'progress', text: noteText(text, percent), tone: 'quiet' }, taskId, taskId, new Date());
  };
  return Object.assign(print, { note });
}

const isRecent = (at: number | undefined): boolean => at !== undefined && Date.now() - at < NOTES_EVERY;

/** Streams and tasks that are remembered; of those that were not heard of for longest nothing is lost but their first line. */
const MOST_REMEMBERED = 10_000;

function bounded<Value>(): { get(key: string): Value | undefined; set(key: string, value: Value): void } {
  const values = new Map<string, Value>();
  return {
    get: (key) => values.get(key),
    set: (key, value) => {
      values.delete(key);
      values.set(key, value);
      const [oldest] = values.size > MOST_REMEMBERED ? values.keys() : [];
      if (oldest !== undefined) values.delete(oldest);
    },
  };
}

type Head = {
  readonly at: Date;
  readonly elapsed: number;
  readonly task: string | null;
  readonly colour: boolean;
};

const SHORT_ID = 8;
const INDENT = ' '.repeat(40);

function format({ step, text, tone, more = [] }: StepLine, { at, elapsed, task, colour }: Head): string {
  const time = `${clock(at)} ${elapsed.toFixed(1).padStart(7)} s`;
  const id = (task ?? '').slice(-SHORT_ID).padEnd(SHORT_ID);
  const head = `${time}  ${id}  ${step.padEnd(9)} ${printable(text)}`;
  const painted = colour && COLOURS[tone] !== '' ? `${COLOURS[tone]}${head}${RESET}` : head;
  return [painted, ...more.map((extra) => `${INDENT}${printable(extra)}`)].join('\n') + '\n';
}

/** Where whoever reads it is: `20:14:05`. */
const clock = (at: Date): string =>
  [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');

/** Of one line's words. A title has 300 characters, a line of output may have a million. */
const MOST_CHARACTERS = 1_000;

/** One line: titles and outputs are written by others, who must not steer the terminal. */
const printable = (text: string): string =>
  harmless(
    text
      .slice(0, MOST_CHARACTERS)
      .split('\n')
      .map((line) => line.trim())
      .join(' ')
      .replaceAll('\t', '  '),
  );

/** The task that an event is about; saga streams are named after the claim. An agent's stream is about many. */
function taskOf(event: RecordedEvent, tasks: ReturnType<typeof bounded<string>>): string | null {
  const data = event.data as { taskId?: string; claimId?: string; runId?: string; source?: { stream?: string } };
  const of = data.source?.stream?.startsWith('task-') === true ? streamId(data.source.stream) : data.taskId;
  const type = streamType(event.stream);
  const id = streamId(event.stream);
  const task = type === 'task' ? id : (of ?? tasks.get(id) ?? tasks.get(data.claimId ?? ''));
  if (task === undefined) return null;
  if (type === 'agent') return task;
  tasks.set(id, task);
  const run = data.claimId ?? data.runId;
  if (typeof run === 'string') tasks.set(run, task);
  return task;
}

/** Prints what happens from now on, until the signal aborts. What began before is looked up once: its title, and whose run it is. */
export async function followSteps(log: EventLog, after: bigint, print: PrintEvent, signal: AbortSignal): Promise<void> {
  const known = bounded<true>();
  const learn = async (stream: string): Promise<void> => {
    known.set(stream, true);
    for await (const first of log.readStream(stream, { limit: 1 })) {
      print(first, true);
      const { source } = first.data as { source?: { stream?: string } };
      const of = source?.stream;
      if (of?.startsWith('task-') === true && known.get(of) === undefined) await learn(of);
    }
  };
  for await (const { events } of log.subscribe({ after, signal }))
    for (const event of events) {
      if (event.revision === 0) known.set(event.stream, true);
      if (BEGUN_BEFORE.has(streamType(event.stream)) && known.get(event.stream) === undefined)
        // A title is not worth the lines that follow.
        await learn(event.stream).catch(() => undefined);
      print(event);
    }
}

const BEGUN_BEFORE: ReadonlySet<string> = new Set(['task', 'saga-code-evolution']);

/** Names of the configured agents by id; others are called by the start of their id. */
export function agentNames({ agents }: Pick<Configuration, 'agents'>): (id: string) => string {
  const names = new Map(agents.map(({ name }) => [agentIdOf(name), name]));
  return (id) => names.get(id) ?? `agent ${id.slice(0, 8)}`;
}
