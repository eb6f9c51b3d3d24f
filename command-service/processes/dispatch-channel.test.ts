import { createHash } from 'node:crypto';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import {
  deliveryIdOf,
  guarantee as guarantees,
  type DispatchEvent,
  type DispatchSent,
  type Guarantee,
} from '@workledger/shared/contexts/agent/dispatch/events.ts';
import { dispatchFold } from '@workledger/shared/contexts/agent/dispatch/state.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { randomOf } from '@workledger/shared/routing/random.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commandIdOf } from '../api/send-command.ts';
import { dispatch, type DispatchDecisions } from '../domain/dispatch.ts';

const VISIBILITY_SECONDS = 30;
const PAYLOAD = '{"build":7,"ok":true}';
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const start = Date.parse('2026-01-01T00:00:00.000Z');

type Handed = Extract<DispatchEvent, { type: 'DispatchHandedOver' }>['data'];
type Receiver = { readonly actor: string; readonly teams: readonly string[]; hands: Map<string, Handed> };

/** A dispatch in the log, time, and a channel between it and its receivers that drops and repeats at random. */
function world(guarantee: Guarantee, seed: number) {
  const random = randomOf(String(seed));
  const chance = (probability: number): boolean => random() < probability;
  const id = newId();
  const [ann, bob, cem] = [`agent:${newId()}`, `agent:${newId()}`, `agent:${newId()}`];
  const targets = [ann, 'team:web'];
  const sent: DispatchSent = {
    ...{ from: `key:${newId()}`, sourceService: null, guarantee, type: 'build.done', version: 1, typeNumber: null },
    ...{ payload: PAYLOAD, digest: digestOf(PAYLOAD), expiresAt: new Date(start + 86_400_000 * 6).toISOString() },
    ...{ repository: null, deliveries: targets.map((target) => ({ deliveryId: deliveryIdOf(id, target), target })) },
  };
  const log: DispatchEvent[] = [{ type: 'DispatchSent', data: sent }];
  let state = log.reduce(dispatchFold.evolve, dispatchFold.initial);
  /** How often each was really in the hands of a receiver, and what commands had an effect because of it. */
  const received = new Map<string, number>();
  const effects = new Map<string, Set<string>>();
  const acknowledged = new Set<string>();
  let now = start;
  let isCalm = false;

  const decide = <Type extends keyof DispatchDecisions>(type: Type, data: DispatchDecisions[Type], actor: string) => {
    const events = dispatch.decisions[type](data, state, { id, actor });
    state = events.reduce(dispatchFold.evolve, state);
    log.push(...events);
    return events;
  };
  /** A request that may be lost, or come twice, and whose answer may be lost; undefined: no answer. */
  const over = <Answer>(serve: () => Answer): Answer | undefined => {
    const refusable = (): Answer | undefined => {
      try {
        return serve();
      } catch (error) {
        if (error instanceof CommandRefused) return undefined;
        throw error;
      }
    };
    if (!isCalm && chance(0.2)) return undefined;
    let answer = refusable();
    if (!isCalm && chance(0.2)) answer = refusable() ?? answer;
    return !isCalm && chance(0.2) ? undefined : answer;
  };

  const live: Receiver[] = [
    { actor: ann, teams: [], hands: new Map() },
    { actor: bob, teams: ['web'], hands: new Map() },
    { actor: cem, teams: ['web'], hands: new Map() },
  ];
  const receive = ({ actor, teams, hands }: Receiver, deliveryId: string): void => {
    const asked = { deliveryId, visibilitySeconds: VISIBILITY_SECONDS, now, teams };
    const [event] = over(() => decide('dispatch.hand', asked, actor)) ?? [];
    if (event?.type !== 'DispatchHandedOver') return;
    received.set(deliveryId, (received.get(deliveryId) ?? 0) + 1);
    hands.set(deliveryId, event.data);
  };
  /** A command whose key is the delivery, as command-service tells commands apart. */
  const act = (actor: string, deliveryId: string): true | undefined =>
    over(() => {
      const commandId = commandIdOf(actor, {
        route: 'POST /api/v1/tasks',
        target: undefined,
        idempotencyKey: deliveryId,
      });
      effects.set(deliveryId, (effects.get(deliveryId) ?? new Set()).add(commandId!));
      return true as const;
    });
  const work = (receiver: Receiver): void => {
    for (const [deliveryId, { number }] of receiver.hands) {
      // It dies: what it had in hand is forgotten, whatever it did about it.
      if (!isCalm && chance(0.2)) return receiver.hands.clear();
      if (act(receiver.actor, deliveryId) === undefined) {
        const isReturned = !isCalm && guarantee !== 'at-most-once' && chance(0.1);
        if (!isReturned || effects.has(deliveryId)) continue;
        const data = { deliveryId, number, reason: 'busy', again: true };
        over(() => decide('dispatch.reject', data, receiver.actor));
        receiver.hands.delete(deliveryId);
        continue;
      }
      if (!isCalm && chance(0.2)) return receiver.hands.clear();
      const isHeard = over(() =>
        decide('dispatch.acknowledge', { deliveryId, digest: digestOf(PAYLOAD) }, receiver.actor),
      );
      if (isHeard === undefined) continue;
      acknowledged.add(deliveryId);
      receiver.hands.delete(deliveryId);
    }
  };
  const round = (): void => {
    for (const receiver of live) {
      for (const { deliveryId } of sent.deliveries) if (isCalm || chance(0.6)) receive(receiver, deliveryId);
      work(receiver);
    }
    now += 1_000 * (isCalm ? VISIBILITY_SECONDS : Math.floor(random() * VISIBILITY_SECONDS * 1.3));
  };
  const run = (rounds: number): void => {
    for (let count = 0; count < rounds; count++) round();
    // Whoever died is back, and nothing is lost any more.
    isCalm = true;
    for (let count = 0; count < 3; count++) round();
  };
  return { run, log, received, effects, acknowledged, deliveries: sent.deliveries.map(({ deliveryId }) => deliveryId) };
}

const eventsOf = (log: readonly DispatchEvent[], deliveryId: string) =>
  log.flatMap((event, revision) =>
    event.type !== 'DispatchSent' && event.data.deliveryId === deliveryId ? [{ ...event, revision }] : [],
  );

/** As an auditor would: what the log says of an acknowledgement fits what was sent, and to whom it was handed over before. */
function verify(log: readonly DispatchEvent[], deliveryId: string): void {
  const [first] = log;
  const all = eventsOf(log, deliveryId);
  const proofs = all.filter(({ type }) => type === 'DispatchAcknowledged');
  expect(proofs).toHaveLength(1);
  const [proof] = proofs;
  if (first?.type !== 'DispatchSent' || proof?.type !== 'DispatchAcknowledged') throw new Error('no proof');
  expect(proof.data.digest).toBe(digestOf(first.data.payload));
  const takers = all.flatMap((event) =>
    event.type === 'DispatchHandedOver' && event.revision < proof.revision ? [event.data.to] : [],
  );
  expect(takers).toContain(proof.data.by);
}

it.each(guarantees.options)('over a channel that drops and repeats, with receivers that die: %s', (guarantee) => {
  let hardest = 0;
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 8 }), (seed, rounds) => {
      const { run, log, received, effects, acknowledged, deliveries } = world(guarantee, seed);
      run(rounds);
      for (const deliveryId of deliveries) {
        const handings = eventsOf(log, deliveryId).filter(({ type }) => type === 'DispatchHandedOver').length;
        hardest = Math.max(hardest, handings);
        if (guarantee === 'at-most-once') {
          expect(handings).toBe(1);
          expect(received.get(deliveryId) ?? 0).toBeLessThanOrEqual(1);
        } else {
          expect(received.get(deliveryId)).toBeGreaterThanOrEqual(1);
          verify(log, deliveryId);
        }
        if (guarantee === 'effectively-once') expect(effects.get(deliveryId)?.size).toBe(1);
        if (acknowledged.has(deliveryId)) verify(log, deliveryId);
      }
    }),
    { numRuns: 100 },
  );
  // The channel was bad enough to mean something.
  expect(hardest).toBeGreaterThan(guarantee === 'at-most-once' ? 0 : 3);
});
