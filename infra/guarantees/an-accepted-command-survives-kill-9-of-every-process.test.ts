import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { enginesOfEveryLog } from '../testing/system/engines.ts';
import { startLoad, type Accepted } from '../testing/system/load.ts';
import { isFullLength, killsOn, storageOf } from '../testing/system/storm.ts';
import { effectsOf, type SagaRecord } from '../testing/system/saga.ts';
import { until } from '../testing/processes/until.ts';
import { createWorkflowDay } from './harness/workflow-day.ts';

const CALLERS = 12;
const BETWEEN_KILLS = isFullLength ? 150 : 75;
const RUNS_BETWEEN_KILLS = isFullLength ? 8 : 3;

describe.each(enginesOfEveryLog)('an accepted command survives kill -9 of every process ($name)', (engine) => {
  let system: RunningSystem;
  let accepted: readonly Accepted[];
  let refused: readonly string[];
  let events: readonly EventJson[];
  let day: Awaited<ReturnType<typeof createWorkflowDay>>;
  let ends: ReadonlyMap<string, string>;

  beforeAll(async () => {
    day = await createWorkflowDay();
    system = await engine.start(day.settings, {
      storage: engine.name === 'distributed' ? 'own' : storageOf(engine.name),
    });
    const startRuns = await day.open(system.client);
    const load = startLoad(system.client, CALLERS);
    const accept = async (more: number): Promise<void> => {
      const enough = load.accepted.length + more;
      await until('accepted commands', () => load.accepted.length >= enough);
    };
    const notice = async (): Promise<void> => {
      const before = { unanswered: load.unanswered(), accepted: load.accepted.length };
      const goesOn = (): boolean => load.accepted.length > before.accepted + BETWEEN_KILLS;
      await until('callers to notice', () => load.unanswered() > before.unanswered || goesOn());
    };
    for (const parts of killsOn(engine.name, system.parts, { distributed: 1 })) {
      await Promise.all([accept(BETWEEN_KILLS), startRuns(RUNS_BETWEEN_KILLS)]);
      await system.kill9(...parts);
      await notice();
      await system.restart();
    }
    await accept(BETWEEN_KILLS);
    await load.stop();
    ({ accepted, refused } = load);
    ends = await day.ended(system.client);
    events = await system.client.log();
  });
  afterAll(async () => {
    day.stop();
    await system?.dispose();
  });

  it('keeps all that was answered, at the revision that was answered', () => {
    const kept = new Map(events.map((event) => [`${event.stream}@${event.revision}`, event.data]));
    const lost = accepted.filter(({ id, revision, title }) => {
      const data = kept.get(`task-${id}@${revision}`) as { title?: string } | undefined;
      return data?.title !== title;
    });
    expect(lost).toEqual([]);
  });

  it('goes on with what it kept: nothing possible is refused', () => {
    expect(refused).toEqual([]);
  });

  it('does nothing twice, though callers without an answer asked again', () => {
    const titles = events.flatMap(({ stream, data }) =>
      stream.startsWith('task-') ? [(data as { title: string }).title] : [],
    );
    expect(titles).toHaveLength(new Set(titles).size);
    expect(new Set(titles)).toEqual(new Set(accepted.map(({ title }) => title)));
  });

  it('keeps every stream without a gap and the whole log in one order', () => {
    const next = new Map<string, number>();
    for (const { stream, revision } of events) {
      expect(`${stream}@${revision}`).toBe(`${stream}@${next.get(stream) ?? 0}`);
      next.set(stream, revision + 1);
    }
    const positions = events.map(({ position }) => BigInt(position));
    expect(positions.every((position, index) => index === 0 || position > positions[index - 1]!)).toBe(true);
  });

  it('carries runs of workflows to their end: each step takes effect once, and what fails is undone once', () => {
    expect(day.runs.map(({ id }) => ends.get(id))).toEqual(
      day.runs.map(({ breaks }) => (breaks ? 'WorkflowRunFailed' : 'WorkflowRunCompleted')),
    );
    expect(day.runs.map(({ mark }) => day.called.get(mark)?.size)).toEqual(day.runs.map(() => 1));
    const facts = events.flatMap(({ stream, type, data }) =>
      /^(issue|comment|question)-/.test(stream) ? [`${type} ${JSON.stringify(data)}`] : [],
    );
    const count = (type: string, words: string): number =>
      facts.filter((fact) => fact.startsWith(`${type} `) && fact.includes(`"${words}"`)).length;
    for (const { mark, breaks } of day.runs) {
      const counts = ['IssueReported', 'CommentWritten', 'IssueDetailsChanged', 'QuestionAsked', 'IssueClosed'];
      expect(counts.map((type) => count(type, mark))).toEqual([1, 1, 1, 1, breaks ? 1 : 0]);
      expect(count('IssueReported', `child of ${mark}`)).toBe(1);
    }
    const sagas = new Map<string, SagaRecord[]>();
    for (const event of events.filter(({ stream }) => stream.startsWith('saga-workflow-')))
      sagas.set(event.stream, [...(sagas.get(event.stream) ?? []), event as SagaRecord]);
    expect(sagas.size).toBe(2 * day.runs.length + day.among.length);
    const repeated = [...sagas.values()].flatMap((records) =>
      [...effectsOf(records)].filter(([, { requested, results }]) => requested !== 1 || results > 1),
    );
    expect(repeated).toEqual([]);
  });
});
