import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { streamType, streamId } from '@workledger/shared/contexts/stream.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { agentIdOf } from '@workledger/sagas/components/environment.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { harmless } from '@workledger/shared/telemetry/one-line.ts';
import { describe, type Described, type StepLine } from './describe.ts';

type Out = { write(text: string): unknown; readonly isTTY?: boolean };

const COLOURS = { plain: '', good: '\u001b[32m', bad: '\u001b[31m', quiet: '\u001b[2m' } as const;
const RESET = '\u001b[0m';

/** Prints the steps of every task as they happen, each with the seconds since its task began. */
export function createPrinter(out: Out, agentName: (id: string) => string): (event: RecordedEvent) => void {
  const began = new Map<string, number>();
  const tasks = new Map<string, string>();
  const colour = out.isTTY === true && process.env['NO_COLOR'] === undefined;

  return (event) => {
    const line = describe(event as unknown as Described, { agent: agentName });
    const task = taskOf(event, tasks);
    if (line === null) return;
    const key = task ?? event.stream;
    if (!began.has(key)) began.set(key, event.recordedAt.getTime());
    const elapsed = (event.recordedAt.getTime() - (began.get(key) ?? 0)) / 1000;
    out.write(format(line, elapsed, colour));
  };
}

function format({ step, text, tone, more = [] }: StepLine, elapsed: number, colour: boolean): string {
  const time = `${elapsed.toFixed(1).padStart(6)} s`;
  const head = `${time}  ${step.padEnd(9)} ${printable(text)}`;
  const painted = colour && COLOURS[tone] !== '' ? `${COLOURS[tone]}${head}${RESET}` : head;
  return [painted, ...more.map((extra) => `${' '.repeat(20)}${printable(extra)}`)].join('\n') + '\n';
}

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

/** The task that an event is about; saga streams are named after the claim. */
function taskOf(event: RecordedEvent, tasks: Map<string, string>): string | null {
  const data = event.data as { taskId?: string; claimId?: string; runId?: string };
  const type = streamType(event.stream);
  const id = streamId(event.stream);
  const task = data.taskId ?? (type === 'task' ? id : (tasks.get(id) ?? tasks.get(data.claimId ?? '')));
  if (task === undefined) return null;
  tasks.set(id, task);
  const run = data.claimId ?? data.runId;
  if (typeof run === 'string') tasks.set(run, task);
  return task;
}

/** Prints what happens from now on, until the signal aborts. */
export async function followSteps(
  log: EventLog,
  after: bigint,
  print: (event: RecordedEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const { events } of log.subscribe({ after, signal })) events.forEach(print);
}

/** Names of the configured agents by id; others are called by the start of their id. */
export function agentNames({ agents }: Pick<Configuration, 'agents'>): (id: string) => string {
  const names = new Map(agents.map(({ name }) => [agentIdOf(name), name]));
  return (id) => names.get(id) ?? `agent ${id.slice(0, 8)}`;
}
