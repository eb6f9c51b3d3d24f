import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import { seeds } from '../testing/events/random.ts';
import { until } from '../testing/processes/until.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { isFullLength, killsThrough, storageOf, tell } from '../testing/system/storm.ts';
import { agreedSettings, startAgreedDay, type AgreedDay } from './harness/agreed-day.ts';
import { outcomesOf, startDispatchDay, type DispatchDay } from './harness/dispatch-day.ts';
import { createWorkflowDay } from './harness/workflow-day.ts';

const BETWEEN_KILLS = isFullLength ? 120 : 50;
const RUNS_BETWEEN_KILLS = 2;
const PATIENCE_SECONDS = 120;
/** Lines and requests meet several of a service, where each is a process. */
const SCALE = { 'query-service': 2 };
const [seed] = seeds(1) as [number];
const ENDS = /Completed$|Failed$|Retried$/;

describe.each(engines)(`documents, configuration, choices, messages and workflows, $name (SEED=${seed})`, (engine) => {
  let system: RunningSystem;
  let day: AgreedDay;
  let flows: Awaited<ReturnType<typeof createWorkflowDay>>;
  let dispatches: DispatchDay;
  let events: readonly EventJson[];

  beforeAll(async () => {
    flows = await createWorkflowDay();
    const privateHosts = [flows.settings, agreedSettings].flatMap(({ outbound }) => outbound?.privateHosts ?? []);
    const settings = { ...flows.settings, ...agreedSettings, outbound: { privateHosts } };
    system = await engine.start(settings, { storage: storageOf(engine.name), scale: SCALE });
    const startRuns = await flows.open(system.client);
    day = await startAgreedDay(system.client);
    dispatches = await startDispatchDay(system.client, seed);
    const more = async (): Promise<void> => {
      const enough = day.count() + BETWEEN_KILLS;
      await until('more to be agreed on', () => day.count() >= enough, PATIENCE_SECONDS);
    };
    for (const parts of killsThrough(engine.name, system.parts, { embedded: 2 })) {
      await Promise.all([more(), startRuns(RUNS_BETWEEN_KILLS), flows.takeUp(system.client)]);
      await system.kill9(...parts);
      await system.restart();
    }
    await more();
    await Promise.all([day.stop(), dispatches.stop()]);
    await until('every message to be acknowledged', dispatches.isHeard, PATIENCE_SECONDS).catch(() => undefined);
    await dispatches.close();
    await flows.ended(system.client);
    await flows.takeUp(system.client);
    await flows.ended(system.client);
    const { length: runs } = [...flows.runs, ...flows.among];
    tell(
      `${day.count()} accepted, ${dispatches.sent.size} messages, ${runs} runs, ${day.unanswered()} requests sent again`,
    );
    events = await system.client.log();
  });
  afterAll(async () => {
    flows.stop();
    day?.close();
    await system?.dispose();
  });

  const ofType = (type: string): readonly EventJson[] => events.filter((event) => event.type === type);
  /** Of the last event of a stream. */
  const tokenOf = (stream: string): string =>
    `${stream}@${Math.max(...events.flatMap((event) => (event.stream === stream ? [event.revision] : [])))}`;

  it('nothing possible is refused', () => {
    expect([...day.refused, ...dispatches.refused]).toEqual([]);
  });

  it('a document comes to the sum of what all added at once, and its digest says so', async () => {
    expect([...day.added.values()].every((count) => count > 0)).toBe(true);
    for (const [id, count] of day.added) {
      const { body } = await system.client.expect2xx('GET', `/documents/${id}`, { token: tokenOf(`document-${id}`) });
      expect(body).toMatchObject({ body: { counter: count }, openConflicts: 0 });
      const copy = `version=${String(body['revision'])}&digest=${String(body['digest'])}`;
      const verified = await system.client.expect2xx('GET', `/documents/${id}/verify?${copy}`);
      expect(verified.body).toMatchObject({ isEqual: true, isCurrent: true });
    }
  });

  it('every copy of a document that is kept on a line is that document', async () => {
    for (const { document, line } of day.copies) {
      const { body } = await system.client.expect2xx('GET', `/documents/${document}`);
      const isThere = (): boolean => line.copy()?.version === body['revision'];
      await until('the copy to be brought up to date', isThere, 30).catch(() => undefined);
      expect(line.copy()).toEqual({ version: body['revision'], body: body['body'] });
      expect(digestOf(line.copy()!.body)).toBe(body['digest']);
      expect(line.tally).toMatchObject({ rejected: 0, repairs: 0 });
    }
    expect(day.copies.every(({ line }) => line.tally.changes > 0 && line.tally.drops > 0)).toBe(true);
  });

  it('each revision of the configuration is what was set by it, or what it goes back to, and everybody goes by the last one', async () => {
    const revised = ofType('ConfigurationRevised').map(({ revision, data }) => {
      const { content, rolledBackTo } = data as {
        content: { limits: { ageingSeconds: number } };
        rolledBackTo?: number;
      };
      const { ageingSeconds: seconds } = content.limits;
      return { revision, seconds, ...(rolledBackTo !== undefined && { backTo: rolledBackTo }) };
    });
    expect(revised).toEqual(day.limits);
    expect(day.limits.some(({ backTo }) => backTo !== undefined)).toBe(true);
    const { revision, seconds } = day.limits.at(-1)!;
    const [{ stream } = { stream: '' }] = ofType('ConfigurationRevised');
    const { body } = await system.client.expect2xx('GET', '/configuration', { token: `${stream}@${revision}` });
    const values = body['values'] as readonly { path: string; value: unknown; revision?: number }[];
    expect(values.find(({ path }) => path === '/limits/ageingSeconds')).toMatchObject({ value: seconds, revision });
  });

  it('each choice of a model is there once, with what became of it', () => {
    const outcomes = ofType('RoutingOutcomeReported').map(({ stream, data }) => [
      stream.slice('routing-'.length),
      (data as { succeeded: boolean }).succeeded,
    ]);
    expect(outcomes.toSorted()).toEqual([...day.routed].toSorted());
    const chosen = ofType('ModelRouted').map(({ stream }) => stream.slice('routing-'.length));
    expect(chosen.toSorted()).toEqual([...day.routed.keys()].toSorted());
  });

  it('each task is there once, estimated where nobody said how hard it is', () => {
    const created = ofType('TaskCreated').map(({ stream, data }) => {
      const { title, complexity } = data as { title: string; complexity: { estimated: boolean } };
      return [stream.slice('task-'.length), title, complexity.estimated];
    });
    expect(created.toSorted()).toEqual([...day.tasks].map((task) => [...task, true]).toSorted());
  });

  it('each message comes and has its effect as often as its guarantee has it, with the proof of its delivery', () => {
    const outcomes = outcomesOf(dispatches, events);
    expect([...outcomes.keys()].toSorted()).toEqual([...dispatches.sent.keys()].toSorted());
    const wrong = [...outcomes].filter(([id, { sent, handed, acknowledged, effects }]) => {
      switch (dispatches.sent.get(id)!.guarantee) {
        case 'at-most-once':
          return sent !== 1 || handed > 1 || acknowledged > 1 || effects > 1;
        case 'at-least-once':
          return sent !== 1 || acknowledged !== 1 || effects < 1 || effects > handed;
        case 'effectively-once':
          return sent !== 1 || acknowledged !== 1 || effects !== 1;
      }
    });
    expect(wrong).toEqual([]);
    expect([...outcomes.values()].some(({ handed }) => handed > 1)).toBe(true);
  });

  it('each run of a workflow comes to its end, and calls once each time it is run', () => {
    const ends = events.filter(({ stream, type }) => stream.startsWith('workflow-run-') && ENDS.test(type));
    const endsOf = (id: string): string[] =>
      ends.flatMap(({ stream, type }) => (stream === `workflow-run-${id}` ? [type] : []));
    expect(flows.runs.map(({ id }) => endsOf(id))).toEqual(
      flows.runs.map(({ breaks }) => [
        ...(breaks ? ['WorkflowRunFailed', 'WorkflowRunRetried'] : []),
        'WorkflowRunCompleted',
      ]),
    );
    expect(flows.runs.map(({ mark }) => flows.called.get(mark)?.size)).toEqual(
      flows.runs.map(({ breaks }) => (breaks ? 2 : 1)),
    );
  });

  it('each run among agents comes to its end, and tells its participant once', () => {
    expect(
      flows.among.map(({ id }) => events.filter(({ stream }) => stream === `workflow-run-${id}`).at(-1)?.type),
    ).toEqual(flows.among.map(() => 'WorkflowRunCompleted'));
    const told = ofType('MessageSent').flatMap(({ data }) => {
      const { to, subject } = data as { to: { participant?: string }; subject: string };
      return subject.startsWith('among ') ? [[to.participant, subject]] : [];
    });
    expect(told.toSorted()).toEqual(flows.among.map(({ participant, mark }) => [participant, mark]).toSorted());
  });

  it('each workflow that was defined is in the list of them', async () => {
    const listed: string[] = [];
    for await (const { id } of system.client.list<{ id: string }>('/collaborative/workflows')) listed.push(id);
    expect(listed).toEqual(expect.arrayContaining(flows.defined));
  });

  it('every process goes by the newest configuration', async () => {
    const { revision } = day.limits.at(-1)!;
    const goneBy = async (): Promise<unknown> => {
      const health = await fetch(new URL('/health', system.client.urlOf('/tasks')));
      return ((await health.json()) as { details?: { configuration?: { revision: number } } }).details?.configuration;
    };
    const isNewest = async () => {
      const { revision: seen } = ((await goneBy()) ?? {}) as { revision?: number };
      return seen === revision || pause(200);
    };
    await until('the newest configuration', isNewest, 60).catch(() => undefined);
    expect(await goneBy()).toMatchObject({ revision });
  });
});
