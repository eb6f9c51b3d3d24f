import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import { until } from '../testing/processes/until.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { killsOn, tell } from '../testing/system/storm.ts';
import { agreedSettings, startAgreedDay, type AgreedDay } from './harness/agreed-day.ts';
import { createWorkflowDay } from './harness/workflow-day.ts';

const BETWEEN_KILLS = 120;
const RUNS_BETWEEN_KILLS = 2;
const PATIENCE_SECONDS = 120;

describe.each(engines)('documents, configuration, choices, messages and workflows, $name', (engine) => {
  let system: RunningSystem;
  let day: AgreedDay;
  let flows: Awaited<ReturnType<typeof createWorkflowDay>>;
  let ends: ReadonlyMap<string, string>;
  let events: readonly EventJson[];

  beforeAll(async () => {
    flows = await createWorkflowDay();
    const privateHosts = [flows.settings, agreedSettings].flatMap(({ outbound }) => outbound?.privateHosts ?? []);
    system = await engine.start({ ...flows.settings, ...agreedSettings, outbound: { privateHosts } });
    const startRuns = await flows.open(system.client);
    day = await startAgreedDay(system.client);
    const more = async (): Promise<void> => {
      const enough = day.count() + BETWEEN_KILLS;
      await until('more to be agreed on', () => day.count() >= enough, PATIENCE_SECONDS);
    };
    for (const parts of killsOn(engine.name, { distributed: 1 })) {
      await Promise.all([more(), startRuns(RUNS_BETWEEN_KILLS)]);
      await system.kill9(...parts);
      await system.restart();
    }
    await more();
    await day.stop();
    const isHeard = (): boolean => [...day.sent.keys()].every((id) => day.acknowledged.has(id));
    await until('every message to be acknowledged', isHeard, PATIENCE_SECONDS).catch(() => undefined);
    await day.close();
    ends = await flows.ended(system.client);
    tell(`${day.count()} accepted, ${flows.runs.length} runs, ${day.unanswered()} requests sent again`);
    events = await system.client.log();
  });
  afterAll(async () => {
    flows.stop();
    await system?.dispose();
  });

  const ofType = (type: string): readonly EventJson[] => events.filter((event) => event.type === type);
  /** Of the last event of a stream. */
  const tokenOf = (stream: string): string =>
    `${stream}@${Math.max(...events.flatMap((event) => (event.stream === stream ? [event.revision] : [])))}`;

  it('nothing possible is refused', () => {
    expect(day.refused).toEqual([]);
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

  it('each revision of the configuration is what was set by it, and everybody goes by the last one', async () => {
    const revised = ofType('ConfigurationRevised').map(({ revision, data }) => {
      const { content } = data as { content: { limits: { ageingSeconds: number } } };
      return { revision, seconds: content.limits.ageingSeconds };
    });
    expect(revised).toEqual(day.limits);
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

  it('each message has its effect once, and the proof of its delivery', async () => {
    const dispatches = ofType('DispatchSent').map(({ stream }) => stream.slice('dispatch-'.length));
    expect(dispatches.toSorted()).toEqual([...day.sent.keys()].toSorted());
    const effects = ofType('MessageSent').map(({ data }) => (data as { subject: string }).subject);
    expect(effects.toSorted()).toEqual([...day.sent.values()].toSorted());
    const proofs = ofType('DispatchAcknowledged').map(({ stream }) => stream.slice('dispatch-'.length));
    expect(proofs.toSorted()).toEqual([...day.sent.keys()].toSorted());
  });

  it('each run of a workflow comes to its end, and calls once', () => {
    expect(flows.runs.map(({ id }) => ends.get(id))).toEqual(
      flows.runs.map(({ breaks }) => (breaks ? 'WorkflowRunFailed' : 'WorkflowRunCompleted')),
    );
    expect(flows.runs.map(({ mark }) => flows.called.get(mark)?.size)).toEqual(flows.runs.map(() => 1));
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
