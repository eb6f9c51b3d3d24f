import { document } from '@workledger/command-service/domain/document.ts';
import { documentFold } from '@workledger/shared/contexts/sync/document/state.ts';
import type { CheckResult } from '@workledger/shared/contexts/evolution/validation/checks.ts';
import type { ArtefactReference, Failure } from '@workledger/shared/contexts/values.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import type { Random } from './random.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { createdTask } from './task-events.ts';

/** An event of any type: whoever appends it checks its data. */
export const event = (type: string, data: unknown = {}): DomainEvent => ({ type, data });

const hex = (random: Random, length: number): string =>
  Array.from({ length }, () => random.below(16).toString(16)).join('');

export const commitOf = (random: Random): string => hex(random, 40);

export const artefactOf = (random: Random): ArtefactReference => ({
  digest: hex(random, 64),
  size: random.below(10_000),
  mediaType: 'text/plain',
});

export const checksOf = (random: Random): CheckResult[] => [
  {
    name: 'lint',
    verdict: random.pick(['passed', 'failed', 'advised']),
    reason: 'exit code 1',
    counts: { critical: 0, high: random.below(9), medium: 0, low: 1, info: 0 },
    newFindings: random.pick([null, random.below(3)]),
    exitCode: 1,
    durationMs: random.below(9_999),
    report: artefactOf(random),
    findings: artefactOf(random),
  },
];

export const failureOf = (random: Random): Failure => ({
  step: 'validate',
  reason: 'the tests fail',
  command: ['node', '--test'],
  exitCode: 1 + random.below(9),
  lastLines: ['not ok 1'],
  log: artefactOf(random),
});

/** What may happen to a document: changed on versions before, so that some of it is in conflict, and maybe deleted. */
export function documentHistory(random: Random): DomainEvent[] {
  const context = { id: newId(), actor: 'system' };
  const rules = { strategy: random.pick(['manual', 'last-writer', 'field-merge'] as const), fields: [], sources: [] };
  const data = { name: 'made up', repository: random.pick([null, 'sample']), body: { a: 1, b: ['x'] }, ...rules };
  const events = [...document.decisions['document.create'](data, documentFold.initial, context)];
  for (let left = random.below(8); left > 0; left--) {
    const state = events.reduce(documentFold.evolve, documentFold.initial);
    const merge = {
      [random.pick(['a', 'b'])]: random.pick<unknown>([null, random.below(99), ['y', 'ünïcode "quoted"']]),
    };
    const base = random.below(state.version + 1);
    events.push(...document.decisions['document.propose']({ base, merge, source: null }, state, context));
  }
  const state = events.reduce(documentFold.evolve, documentFold.initial);
  const [open] = state.conflicts;
  if (open !== undefined && random.chance(0.5))
    events.push(
      ...document.decisions['document.resolve']({ conflict: open.id, choose: 'value', value: 5 }, state, context),
    );
  else if (random.chance(0.3)) events.push(...document.decisions['document.delete']({}, state, context));
  return events;
}

const result = (random: Random) => ({
  commit: commitOf(random),
  branch: 'workledger/x',
  merged: random.chance(0.5),
  diffStat: { files: 1, insertions: random.below(99), deletions: 0 },
  metricsBefore: { m: 1.5 },
  metricsAfter: { m: 0.25 },
  costUsd: random.below(100) / 100,
  durationMs: random.below(100_000),
});

/** What may happen to one task: changed, claimed, worked on, given back, sent back, ended, begun again. */
export function taskHistory(random: Random): TaskEvent[] {
  const title = () => `title ${random.below(1_000)} — ünïcode "quoted"`;
  const events: TaskEvent[] = [
    createdTask({ title: title(), priority: 1 + random.below(5), labels: ['a', 'b'], metadata: { k: 'v' } }),
  ];
  const push = (...more: readonly TaskEvent[]): void => void events.push(...more);
  for (let round = random.below(4); round >= 0; round--) {
    const claimId = newId();
    const agentId = newId();
    for (let changes = random.below(4); changes > 0; changes--)
      push({ type: 'TaskDetailsChanged', data: { title: title(), description: title() } });
    push({ type: 'TaskClaimed', data: { claimId, agentId, runtime: 'remote', repository: null, leaseSeconds: 60 } });
    push({ type: 'TaskProgressReported', data: { claimId, note: title(), percent: random.below(100) } });
    if (random.chance(0.3)) {
      push({ type: 'TaskClaimReleased', data: { claimId, agentId, reason: 'tired' } });
      continue;
    }
    push({ type: 'TaskWorkSubmitted', data: { claimId, commit: commitOf(random), summary: title() } });
    if (random.chance(0.3))
      push({ type: 'TaskApprovalAsked', data: { claimId, questionId: newId(), commit: commitOf(random) } });
    if (random.chance(0.3)) push({ type: 'TaskPullRequestOpened', data: { claimId, number: 7, url: 'https://git/7' } });
    if (random.chance(0.3)) push({ type: 'TaskPullRequestNoticed', data: { claimId } });
    const said = random.chance(0.5) ? { words: title(), by: 'user:1' } : {};
    if (random.chance(0.3)) push({ type: 'TaskSentBack', data: { claimId, reason: 'tests', report: null, ...said } });
    if (round === 0) push({ type: 'TaskCompleted', data: { claimId, parentId: null, result: result(random) } });
    else {
      push({ type: 'TaskFailed', data: { claimId, failure: failureOf(random), ...said } });
      push({ type: 'TaskRetried', data: { reason: 'again' } });
    }
  }
  return events;
}

export const deliveryEvents = (random: Random) => [
  event('DeliveryReceived', {
    provider: 'github',
    deliveryId: newId(),
    event: 'issues',
    action: 'labeled',
    repository: 'o/r',
    sender: 'ada',
    body: artefactOf(random),
  }),
  random.pick([
    event('DeliveryIgnored', { reason: 'no rule' }),
    event('DeliveryIgnored', { reason: 'it is looked at', installation: true }),
    event('DeliveryNoticed', { taskId: newId(), pullRequest: 7 }),
    event('DeliveryReviewAsked', {
      ...{ reviewId: newId(), repository: 'r', pullRequest: 7, head: random.chance(0.5) ? 'a'.repeat(40) : null },
      ...{ before: null, isTrusted: random.chance(0.5) },
    }),
    event('DeliveryRouted', { rule: 'label', taskId: newId(), intent: { kind: 'cancel-task', reason: 'closed' } }),
    event('DeliveryAnswered', {
      ...{ taskId: newId(), questionId: null, repository: 'r', verb: random.pick(['approve', 'answer']), words: null },
      ...{ by: 'slack:U1', isTrusted: random.chance(0.5) },
    }),
  ]),
];

export const webhookEvents = (random: Random) => [
  event('WebhookCreated', {
    ...{ name: 'chat', url: 'https://hooks.example.org/', eventTypes: ['*'], reach: 'work', madeBy: `key:${newId()}` },
    repositories: random.chance(0.5) ? ['shop'] : null,
    secretId: newId(),
    ...(random.chance(0.3) && { from: '7' }),
  }),
  ...(random.chance(0.5)
    ? [event('WebhookChanged', { name: `name ${random.below(100)}`, url: 'https://hooks.example.org/2' })]
    : []),
  ...(random.chance(0.5)
    ? [event('WebhookSecretRotated', { secretId: newId(), oldUntil: '2026-12-01T00:00:00.000Z' })]
    : []),
  event('WebhookTestAsked', { askedBy: `key:${newId()}` }),
  event(random.chance(0.5) ? 'WebhookPaused' : 'WebhookDisabled', { reason: 'it failed' }),
  ...(random.chance(0.7) ? [event('WebhookResumed', {}), event('WebhookRedeliveryAsked', {})] : []),
  ...(random.chance(0.5) ? [event('WebhookDeliveryDropped', { deliveryId: newId() })] : []),
  ...(random.chance(0.3) ? [event('WebhookDeleted', {})] : []),
];

/** Sent to two, handed over, and what became of it. */
export function dispatchEvents(random: Random): DomainEvent[] {
  const [one, other] = [newId(), newId()].map((deliveryId) => ({ deliveryId, target: `agent:${newId()}` })) as [
    { deliveryId: string; target: string },
    { deliveryId: string; target: string },
  ];
  const digest = hex(random, 64);
  const at = '2026-01-01T00:00:00.000Z';
  const by = one.target;
  const back = { ...one, by, number: 1, reason: 'busy' };
  const handed = (number: number) => event('DispatchHandedOver', { ...one, to: by, number, visibleAt: at });
  const sent = {
    ...{
      from: 'user:1',
      sourceService: null,
      deliveries: [one, other],
      guarantee: 'at-least-once',
      type: 'build.done',
    },
    ...{ version: 1, typeNumber: null, payload: '{"ok":true}', digest, expiresAt: at, repository: null },
  };
  return [
    event('DispatchSent', sent),
    handed(1),
    event('DispatchReturned', back),
    handed(2),
    random.pick([
      event('DispatchAcknowledged', { ...one, by, digest, from: 'user:1' }),
      event('DispatchRejected', { ...back, number: 2 }),
      event('DispatchDied', { ...one, handings: 2 }),
    ]),
    ...(random.chance(0.5) ? [event('DispatchExpired', { ...other, handings: 0 })] : []),
  ];
}
