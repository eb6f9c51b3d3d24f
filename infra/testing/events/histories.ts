import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { projections } from '@workledger/projections/all.ts';
import { streamTypes } from '@workledger/shared/events/catalogue.ts';
import { evolution } from '@workledger/command-service/domain/evolution.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import {
  artefactOf,
  checksOf,
  commitOf,
  deliveryEvents,
  documentHistory,
  dispatchEvents,
  event,
  failureOf,
  taskHistory,
  webhookEvents,
} from './made-up.ts';
import type { Random } from './random.ts';
import { workflowHistory, workflowRunHistory } from './workflow-events.ts';

export type StreamHistory = { readonly stream: string; readonly events: readonly DomainEvent[] };

const newRun = () => ({ taskId: newId(), runId: newId() });

/** What may happen to one stream of a type, at random. */
const makers: Readonly<Record<string, (random: Random) => DomainEvent[]>> = {
  task: taskHistory,
  agent: (random) => {
    const claimId = newId();
    const later = [
      event('AgentChanged', { capacity: 1 + random.below(9) }),
      event('AgentReserved', { claimId, taskId: newId() }),
      event('AgentReleased', { claimId, taskId: newId(), reason: 'done' }),
      event('AgentDisconnected', { lastBeatAt: new Date(random.below(2 ** 31)).toISOString() }),
      event('AgentReconnected'),
      event('AgentErrorReported', { message: 'no disk' }),
      event('AgentErrorCleared'),
      event('AgentDeactivated', { reason: 'maintenance' }),
      event('AgentActivated'),
    ].filter(() => random.chance(0.7));
    const first = {
      name: `agent ${random.below(99)}`,
      kind: 'worker',
      runtime: random.pick(['command', 'remote']),
      capabilities: ['code'],
      capacity: 1 + random.below(4),
      coordinatorId: null,
    };
    return [event('AgentRegistered', first), ...later];
  },
  key: (random) => [
    event('KeyCreated', {
      name: 'k',
      role: random.pick(['viewer', 'admin']),
      agentId: null,
      secretHash: 'f'.repeat(64),
    }),
    ...(random.chance(0.5) ? [event('KeyRevoked', { reason: 'lost' })] : []),
  ],
  dependencies: (random) => {
    const ids = Array.from({ length: 6 }, newId);
    const added = ids.slice(1).map((dependsOn) => ({ taskId: ids[0]!, dependsOn }));
    const parts = { taskId: ids[0]!, subtasks: [newId()] };
    return [
      event('SubtasksAdded', parts),
      ...added.map((edge) => event('DependencyAdded', edge)),
      ...added.filter(() => random.chance(0.5)).map((edge) => event('DependencyRemoved', edge)),
      event('SubtasksRemoved', parts),
      event('DependenciesSettled', { taskId: ids[0]! }),
    ];
  },
  issue: (random) => {
    const offer = { round: 1, number: 1, agentId: newId() };
    const taskId = newId();
    const first = {
      ...{ title: `issue ${random.below(99)}`, description: 'slow', priority: random.pick(['low', 'critical']) },
      ...{ labels: [], capabilities: ['code'], repository: random.pick(['r', null]), reporter: `agent:${newId()}` },
    };
    const later = [
      event('IssueDetailsChanged', { priority: 'medium', labels: ['l'] }),
      event('IssueAssignmentRequested', { round: 1, acceptWithinSeconds: 60 }),
      event('IssueOffered', { ...offer, acceptWithinSeconds: 60 }),
      event('IssueOfferEnded', { ...offer, outcome: random.pick(['accepted', 'declined']), reason: null }),
      event('IssueAssignmentEnded', { round: 1, outcome: random.pick(['withdrawn', 'nobody-accepted', 'nobody-can']) }),
      event('IssueAssigned', { assignee: `agent:${offer.agentId}` }),
      event('IssueStarted', { taskId: null }),
      event('IssueUnassigned', { assignee: `agent:${offer.agentId}`, reason: 'busy' }),
      event('IssueTurnedIntoTask', { taskId }),
      event('IssueTaskEnded', { taskId, outcome: random.pick(['failed', 'cancelled']), reason: 'red' }),
      event('IssueResolved', { taskId: null, by: 'user:1', resolution: random.pick(['mended', null]) }),
      event('IssueClosed', { reason: 'done' }),
      event('IssueReopened', { reason: 'again' }),
    ].filter(() => random.chance(0.7));
    return [event('IssueReported', first), ...later];
  },
  comment: (random) => [
    event('CommentWritten', { issueId: newId(), repository: null, author: 'user:1', body: 'here, too' }),
    ...(random.chance(0.5) ? [event('CommentEdited', { body: 'not here' })] : []),
    ...(random.chance(0.3) ? [event('CommentDeleted')] : []),
  ],
  webhook: (random) => webhookEvents(random),
  workflow: workflowHistory,
  'workflow-run': workflowRunHistory,
  document: (random) => documentHistory(random),
  dispatch: (random) => dispatchEvents(random),
  delivery: (random) =>
    random.pick([
      deliveryEvents(random),
      [event('DeliveryBodyNoted', { id: newId(), deliveryId: newId() })],
      [event('MessageNoted', { id: newId(), saidAt: '1531420618.000200' })],
      [
        event('ReviewHeadNamed', {
          ...{ reviewId: newId(), repository: 'r', pullRequest: 7, head: commitOf(random), isTrusted: true },
        }),
        event('ReviewSuperseded', { reviewId: newId() }),
      ],
      [event('ReviewCounted', { reviewId: newId() })],
      [
        event('IssueStateNoted', {
          updatedAt: '2026-11-28T12:00:00.000Z',
          rule: 'two',
          earlier: ['one'],
          begunBy: 'U1',
        }),
      ],
    ]),
  generation: (random) => {
    const run = newRun();
    const first = { attempt: 1, strategy: 'one' };
    const work = { diffStat: { files: 1, insertions: random.below(50), deletions: 2 }, diff: artefactOf(random) };
    return [
      event('GenerationRequested', {
        ...run,
        repository: 'r',
        base: commitOf(random),
        prompt: null,
        strategies: ['one', 'two'],
      }),
      event('GenerationAttemptStarted', { ...run, ...first }),
      event('GenerationAttemptFailed', {
        ...run,
        ...first,
        failure: failureOf(random),
        costUsd: random.below(100) / 100,
      }),
      event('GenerationAttemptStarted', { ...run, attempt: 2, strategy: 'two' }),
      random.pick([
        event('GenerationFailed', { ...run, failure: failureOf(random) }),
        event('GenerationCancelled', { ...run, reason: 'stopped' }),
        event('GenerationSucceeded', {
          ...run,
          ...work,
          attempt: 2,
          strategy: 'two',
          commit: commitOf(random),
          output: artefactOf(random),
          costUsd: 0.5,
          durationMs: random.below(10_000),
        }),
      ]),
    ];
  },
  'merge-queue': (random) => {
    const runs = Array.from({ length: 3 }, newRun);
    const place = { repository: 'r', baseBranch: random.chance(0.5) ? 'main' : null };
    const ended = (run: object) => ({
      ...run,
      outcome: random.pick(['merged', 'sent-back', 'left', 'released']),
      reason: random.chance(0.5) ? 'because' : null,
    });
    return [
      event('MergeTurnEnded', { ...newRun(), outcome: 'left', reason: null }),
      ...runs.map((run) => event('MergeQueued', { ...run, ...place })),
      ...runs.flatMap((run) => [event('MergeTurnBegan', run), event('MergeTurnEnded', ended(run))]),
      event('MergeQueued', { ...runs[0], ...place }),
    ];
  },
  validation: (random) => {
    const run = newRun();
    return [
      event('ValidationRequested', {
        ...run,
        repository: 'r',
        commit: commitOf(random),
        base: commitOf(random),
        sendBackAllowed: true,
      }),
      random.pick([
        event('ValidationPassed', {
          ...{ ...run, report: artefactOf(random), protectedChanges: ['test/a'] },
          ...(random.chance(0.5) && { checks: checksOf(random) }),
        }),
        event('ValidationFailed', {
          ...run,
          failure: failureOf(random),
          protectedChanges: [],
          verdict: 'back-to-work',
          ...(random.chance(0.5) && { checks: checksOf(random) }),
        }),
        event('ValidationCancelled', { ...run, reason: 'stopped' }),
      ]),
    ];
  },
  evolution: (random) => {
    const plan = {
      metric: 'm',
      direction: 'minimize',
      candidates: 2,
      generations: 3,
      target: null,
      budgetUsd: null,
      patience: 1,
    } as const;
    const start = { ...newRun(), repository: 'r', base: commitOf(random), before: null, baseline: { m: 50 }, plan };
    const context = { id: newId(), actor: 'system' };
    const events = [...evolution.decisions['evolution.start'](start, evolution.initial, context)];
    for (;;) {
      const state = events.reduce(evolution.evolve, evolution.initial);
      const candidate = state.generation.candidates.find((id) => !state.generation.done.has(id));
      if (state.status !== 'running' || candidate === undefined) return events;
      const shared = { generation: state.generation.number, candidate, costUsd: random.below(9) };
      events.push(
        ...(random.chance(0.2)
          ? evolution.decisions['evolution.fail-candidate']({ ...shared, failure: failureOf(random) }, state, context)
          : evolution.decisions['evolution.record-candidate'](
              {
                ...shared,
                commit: commitOf(random),
                metrics: { m: random.below(100) },
                diffStat: { files: 1, insertions: 1, deletions: 0 },
                diff: artefactOf(random),
                output: artefactOf(random),
                durationMs: random.below(5_000),
              },
              state,
              context,
            )),
      );
    }
  },
  'saga-code-evolution': (random) => {
    const source = { stream: streamName('task', newId()), revision: 1, eventId: newId() };
    const step = (name: string, state: string) =>
      event('SagaStepChanged', { step: name, round: 1, attempt: 1, state, detail: {} });
    const steps = ['prepare', 'generate', 'evolve', 'publish'].slice(0, 1 + random.below(4));
    const failed = random.chance(0.5);
    return [
      event('SagaInputReceived', { source, type: 'TaskClaimed', data: {} }),
      ...steps.flatMap((name) => {
        const key = `${name}/1/1/work`;
        const effect = { kind: 'call', key, component: 'code.work', request: {}, timeoutSeconds: 60 };
        return [
          step(name, 'started'),
          event('SagaEffectRequested', { effect }),
          event('SagaEffectSucceeded', { key, result: { commit: commitOf(random), output: artefactOf(random) } }),
          step(name, 'succeeded'),
        ];
      }),
      ...(failed ? steps.toReversed().flatMap((name) => [step(name, 'compensating'), step(name, 'compensated')]) : []),
      event('SagaEnded', { outcome: failed ? 'failed' : 'completed', failure: failed ? failureOf(random) : null }),
    ];
  },
};

const EXAMPLES = resolve(import.meta.dirname, '../../../shared/events/examples');

/** For a type that has no maker of its own: one of each of its events, as declared, as it is kept as an example. */
function examples(type: string): DomainEvent[] {
  const events = streamTypes.find((definition) => definition.type === type)?.events ?? {};
  return Object.entries(events).map(([name, { version }]) =>
    event(name, JSON.parse(readFileSync(join(EXAMPLES, type, `${name}.v${version}.json`), 'utf8'))),
  );
}

const types = new Set([...Object.keys(makers), ...projections.flatMap(({ streams }) => streams)]);

/** Histories of so many streams of each of these types; default: of every type that a read model follows. */
export const makeHistories = (random: Random, count: number, of: Iterable<string> = types): StreamHistory[] =>
  [...of].flatMap((type) =>
    Array.from({ length: count }, () => ({
      stream: streamName(type, newId()),
      events: makers[type]?.(random) ?? examples(type),
    })),
  );
