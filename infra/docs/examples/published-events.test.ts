import { streamTypes } from '@workledger/shared/events/catalogue.ts';
import { encode } from '@workledger/shared/events/codec.ts';
import { encodeCloudEvent } from '@workledger/shared/events/published/cloud-event.ts';
import { createSchemaValidator, type SchemaValidator } from '@workledger/shared/events/published/testing.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamName, streamType } from '@workledger/shared/contexts/stream.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeHistories, type StreamHistory } from '../../testing/events/histories.ts';
import { failureOf } from '../../testing/events/made-up.ts';
import { createRandom } from '../../testing/events/random.ts';

let validator: SchemaValidator;
beforeAll(async () => {
  validator = await createSchemaValidator();
});

const random = createRandom(7);
const published = streamTypes.filter(({ context }) => context !== 'saga');
const types = published.map(({ type }) => type);

const one = (streamType: string, type: string, data: object): StreamHistory => ({
  stream: streamName(streamType, newId()),
  events: [{ type, data }],
});
const run = { taskId: newId(), runId: newId() };
const histories: readonly StreamHistory[] = [
  ...makeHistories(random, 60, types),
  one('agent', 'AgentDeregistered', { reason: 'gone' }),
  one('agent', 'AgentRested', { until: '2027-01-01T00:00:00.000Z', reason: 'a usage limit' }),
  one('evolution', 'EvolutionFailed', { ...run, failure: failureOf(random) }),
  one('evolution', 'EvolutionCancelled', { ...run, reason: 'stopped' }),
  one('agent', 'AgentRested', { until: '2999-01-01T00:00:00.000Z', reason: 'usage limit reached' }),
  one('task', 'TaskClaimExpired', { claimId: newId(), agentId: newId() }),
  one('task', 'TaskCancelled', { claimId: null, reason: 'no more' }),
  one('task', 'TaskExpanded', { subtasks: [newId()] }),
  one('task', 'TaskExpansionGivenUp', { subtasks: [newId()] }),
  one('document', 'DocumentRulesChanged', {
    ...{ rules: { strategy: 'manual', fields: [], sources: [] }, changedBy: 'system', digest: '0'.repeat(64) },
  }),
  one('document', 'DocumentKept', { body: {}, digest: '0'.repeat(64) }),
  one('delivery', 'DeliveryNoticed', { taskId: newId(), pullRequest: 7 }),
  one('delivery', 'DeliveryReviewAsked', {
    ...{ reviewId: newId(), repository: 'r', pullRequest: 7, head: null, before: null, isTrusted: true },
  }),
  one('delivery', 'DeliveryRouted', {
    rule: 'label',
    taskId: newId(),
    intent: {
      kind: 'create-task',
      title: 'Faster',
      description: 'Ada asks',
      repository: 'sample',
      labels: [],
      priority: 3,
      capabilities: [],
      source: { kind: 'github', reference: 'ada/sample#1', url: null },
      requester: 'ada',
    },
  }),
];

function recorded({ stream, events }: StreamHistory): RecordedEvent[] {
  const caller = { correlationId: newId(), causationId: null, actor: 'system', traceparent: null };
  return encode(stream, events, { ...caller, commandId: newId(), commandHash: '0'.repeat(64) }).map(
    (event, revision) => ({ ...event, stream, revision, position: BigInt(revision + 1), recordedAt: new Date() }),
  );
}
const faults = (event: RecordedEvent): string[] => validator.faults(encodeCloudEvent(event));

describe('every event that other systems may see', () => {
  test('is there in this test', () => {
    const seen = histories.flatMap(({ stream, events }) => events.map(({ type }) => `${streamType(stream)}/${type}`));
    const all = published.flatMap(({ type, events }) => Object.keys(events).map((event) => `${type}/${event}`));
    expect([...new Set(seen)].toSorted()).toEqual(all.toSorted());
  });

  test.each(types)('of a %s is what its published schema says', (type) => {
    for (const event of histories.filter(({ stream }) => streamType(stream) === type).flatMap(recorded))
      expect(faults(event), event.type).toEqual([]);
  });

  test('is not what another schema says', () => {
    for (const event of histories.flatMap(recorded)) expect(faults({ ...event, version: 99 })).not.toEqual([]);
  });
});

describe('the schema of an event finds', () => {
  const sent = recorded(one('task', 'TaskSentBack', { claimId: newId(), reason: 'red', report: null }))[0]!;
  const withData = (change: object): string[] => faults({ ...sent, data: { ...(sent.data as object), ...change } });

  test.each<[string, object, string]>([
    ['nothing wrong with what it was', {}, ''],
    ['a missing field', { reason: undefined }, "/payload must have required property 'reason'"],
    ['an unknown field', { note: 'x' }, '/payload must NOT have additional properties'],
    ['another type', { reason: 3 }, '/payload/reason must be string'],
    ['an id that is none', { claimId: '12' }, '/payload/claimId must match pattern'],
    ['a wrong value deep inside', { report: { digest: 'x', size: 1, mediaType: 'a/b' } }, '/payload/report/digest'],
  ])('%s', (_, change, fault) => {
    expect(withData(change).join('; ')).toContain(fault);
    expect(withData(change).length > 0).toBe(fault !== '');
  });

  test('what is wrong around the data', () => {
    const message = JSON.parse(encodeCloudEvent(sent).toString()) as object;
    const changed = (change: object) => validator.faults(Buffer.from(JSON.stringify({ ...message, ...change })));
    expect(changed({})).toEqual([]);
    expect(changed({ traceid: 'added by somebody on the way' })).toEqual([]);
    expect(changed({ revision: -1 })).toEqual(['/revision must be >= 0']);
    expect(changed({ position: 7 })).toContain('/position must be string');
    expect(changed({ source: '/elsewhere' }).join()).toContain('/source must match pattern');
  });
});
