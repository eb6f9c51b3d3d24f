import { given } from '@workledger/shared/aggregate/testing.ts';
import {
  deliveryIdOf,
  MOST_HANDINGS,
  type DispatchEvent,
  type Guarantee,
} from '@workledger/shared/contexts/agent/dispatch/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { describe, expect, it } from 'vitest';
import { dispatch } from './dispatch.ts';

const id = newId();
const [from, ann, bob] = [`key:${newId()}`, `agent:${newId()}`, `agent:${newId()}`];
const [toAnn, toTeam] = [deliveryIdOf(id, ann), deliveryIdOf(id, 'team:web')];
const now = Date.parse('2026-01-01T00:00:00.000Z');
const expiresAt = '2026-01-02T00:00:00.000Z';
const later = Date.parse(expiresAt);
const visibleAt = '2026-01-01T00:00:30.000Z';
const digest = 'a'.repeat(64);

const sentUnder = (guarantee: Guarantee): DispatchEvent => ({
  type: 'DispatchSent',
  data: {
    ...{
      from,
      sourceService: null,
      guarantee,
      type: 'build.done',
      version: 1,
      typeNumber: null,
      payload: '{}',
      digest,
    },
    ...{ expiresAt, repository: null },
    deliveries: [
      { deliveryId: toAnn, target: ann },
      { deliveryId: toTeam, target: 'team:web' },
    ],
  },
});
const [once, least, effectively] = (['at-most-once', 'at-least-once', 'effectively-once'] as const).map(sentUnder) as [
  DispatchEvent,
  DispatchEvent,
  DispatchEvent,
];
const target = ann;
const handed = (number = 1, visible: string | null = visibleAt): DispatchEvent => ({
  type: 'DispatchHandedOver',
  data: { deliveryId: toAnn, target, to: ann, number, visibleAt: visible },
});
const toTeamHanded = (to: string): DispatchEvent => ({
  type: 'DispatchHandedOver',
  data: { deliveryId: toTeam, target: 'team:web', to, number: 1, visibleAt },
});
const acknowledged: DispatchEvent = {
  type: 'DispatchAcknowledged',
  data: { deliveryId: toAnn, target, by: ann, digest, from },
};
const died: DispatchEvent = { type: 'DispatchDied', data: { deliveryId: toAnn, target, handings: MOST_HANDINGS } };

const hand = (more: object = {}) => ({ deliveryId: toAnn, visibilitySeconds: 30, now, teams: [], ...more });
const reject = (number: number, again: boolean) => ({ deliveryId: toAnn, number, reason: 'busy', again });
const back = { deliveryId: toAnn, target, by: ann, number: 1, reason: 'busy' };
const [asAnn, asBob] = [{ actor: ann }, { actor: bob }];

describe('what goes out at most once', () => {
  it('is handed over once, and never again, however long ago that was', () => {
    given(dispatch, once).when('dispatch.hand', hand(), asAnn).then(handed(1, null));
    const again = hand({ now: later - 1 });
    given(dispatch, once, handed(1, null)).when('dispatch.hand', again, asAnn).thenRefused('illegal-transition');
  });
  it('is not given back', () =>
    given(dispatch, once, handed(1, null))
      .when('dispatch.reject', reject(1, true), asAnn)
      .thenRefused('illegal-transition'));
  it('does not expire once it went out', () =>
    given(dispatch, once, handed(1, null))
      .when('dispatch.settle', { now: later })
      .then({ type: 'DispatchExpired', data: { deliveryId: toTeam, target: 'team:web', handings: 0 } }));
});

describe('what goes out at least once', () => {
  it('is handed over again when it becomes visible, and not before', () => {
    const before = hand({ now: Date.parse(visibleAt) - 1 });
    given(dispatch, least, handed())
      .when('dispatch.hand', before, asAnn)
      .thenRefused('illegal-transition', { visibleAt });
    given(dispatch, least, handed())
      .when('dispatch.hand', hand({ now: Date.parse(visibleAt) }), asAnn)
      .then(handed(2, '2026-01-01T00:01:00.000Z'));
  });
  it('is not handed over to anybody else, after it was acknowledged, or when it has expired', () => {
    given(dispatch, least).when('dispatch.hand', hand(), asBob).thenRefused('not-found');
    given(dispatch).when('dispatch.hand', hand(), asAnn).thenRefused('not-found');
    given(dispatch, least, handed(), acknowledged)
      .when('dispatch.hand', hand({ now: later - 1 }), asAnn)
      .thenRefused('illegal-transition', { state: 'acknowledged' });
    given(dispatch, least)
      .when('dispatch.hand', hand({ now: later }), asAnn)
      .thenRefused('illegal-transition');
  });
  it('to a team goes to whoever of it asks first, and then to whoever asks', () => {
    const ofTeam = { deliveryId: toTeam, teams: ['web'] };
    given(dispatch, least).when('dispatch.hand', hand(ofTeam), asBob).then(toTeamHanded(bob));
    given(dispatch, least)
      .when('dispatch.hand', hand({ ...ofTeam, teams: ['api'] }), asBob)
      .thenRefused('not-found');
    given(dispatch, least, toTeamHanded(bob))
      .when('dispatch.hand', hand(ofTeam), asAnn)
      .thenRefused('illegal-transition');
    const visible = hand({ ...ofTeam, now: Date.parse(visibleAt) });
    given(dispatch, least, toTeamHanded(bob))
      .when('dispatch.hand', visible, asAnn)
      .thenState((state) => expect(state?.deliveries[toTeam]).toMatchObject({ handings: 2, takers: [bob, ann] }));
  });
  it('is dead after so many, and only when the last one had its time', () => {
    const last = [least, handed(MOST_HANDINGS)];
    const visible = Date.parse(visibleAt);
    given(dispatch, ...last)
      .when('dispatch.settle', { now: visible - 1 })
      .then();
    given(dispatch, ...last)
      .when('dispatch.settle', { now: visible })
      .then(died);
    given(dispatch, ...last)
      .when('dispatch.hand', hand({ now: visible }), asAnn)
      .thenRefused('illegal-transition');
  });
});

describe('what is to have its effect once', () => {
  it('goes to nobody but whoever had it, until they give it back', () => {
    const visible = hand({ deliveryId: toTeam, teams: ['web'], now: Date.parse(visibleAt) });
    const held = [effectively, toTeamHanded(bob)];
    given(dispatch, ...held)
      .when('dispatch.hand', visible, asAnn)
      .thenRefused('illegal-transition', { heldBy: bob });
    given(dispatch, ...held)
      .when('dispatch.hand', visible, asBob)
      .thenState((state) => expect(state?.deliveries[toTeam]).toMatchObject({ handings: 2, takers: [bob] }));
    const returned: DispatchEvent = {
      type: 'DispatchReturned',
      data: { deliveryId: toTeam, target: 'team:web', by: bob, number: 1, reason: 'busy' },
    };
    given(dispatch, ...held, returned)
      .when('dispatch.hand', visible, asAnn)
      .thenState((state) => expect(state?.deliveries[toTeam]).toMatchObject({ takers: [bob, ann] }));
  });
});

describe('an acknowledgement', () => {
  const ack = { deliveryId: toAnn, digest };
  it('is taken once, from whoever it was handed over to', () => {
    given(dispatch, effectively, handed()).when('dispatch.acknowledge', ack, asAnn).then(acknowledged);
    given(dispatch, effectively, handed(), acknowledged).when('dispatch.acknowledge', ack, asAnn).then();
  });
  it('is nobody else’s, nor of what was never handed over', () => {
    given(dispatch, least, handed()).when('dispatch.acknowledge', ack, asBob).thenRefused('not-found');
    given(dispatch, least, handed()).when('dispatch.acknowledge', ack, { actor: from }).thenRefused('not-found');
    given(dispatch, least).when('dispatch.acknowledge', ack, asAnn).thenRefused('not-found');
  });
  it('says what was received', () =>
    given(dispatch, least, handed())
      .when('dispatch.acknowledge', { ...ack, digest: 'b'.repeat(64) }, asAnn)
      .thenRefused('out-of-range'));
  it('of what was given back counts only while nobody else has it', () => {
    const [teamAck, by] = [
      { ...ack, deliveryId: toTeam },
      { deliveryId: toTeam, target: 'team:web', by: bob },
    ];
    const returned: DispatchEvent = { type: 'DispatchReturned', data: { ...by, number: 1, reason: 'busy' } };
    const held = [toTeamHanded(bob), returned];
    const told: DispatchEvent = { type: 'DispatchAcknowledged', data: { ...by, digest, from } };
    given(dispatch, effectively, ...held)
      .when('dispatch.acknowledge', teamAck, asBob)
      .then(told);
    given(dispatch, effectively, ...held, toTeamHanded(ann))
      .when('dispatch.acknowledge', teamAck, asBob)
      .thenRefused('illegal-transition', { heldBy: ann });
    given(dispatch, least, ...held, toTeamHanded(ann))
      .when('dispatch.acknowledge', teamAck, asBob)
      .then(told);
  });
  it('counts when it comes late', () => {
    given(dispatch, least, handed(MOST_HANDINGS), died).when('dispatch.acknowledge', ack, asAnn).then(acknowledged);
  });
});

describe('what is rejected', () => {
  const rejected: DispatchEvent = { type: 'DispatchRejected', data: back };
  const returned: DispatchEvent = { type: 'DispatchReturned', data: back };
  it('is so for good, once', () => {
    given(dispatch, least, handed()).when('dispatch.reject', reject(1, false), asAnn).then(rejected);
    given(dispatch, least, handed(), rejected).when('dispatch.reject', reject(1, false), asAnn).then();
    given(dispatch, least, handed(), rejected).when('dispatch.hand', hand(), asAnn).thenRefused('illegal-transition');
    given(dispatch, least, handed(), rejected)
      .when('dispatch.acknowledge', { deliveryId: toAnn, digest }, asAnn)
      .thenRefused('illegal-transition');
  });
  it('or handed over again at once', () => {
    given(dispatch, least, handed()).when('dispatch.reject', reject(1, true), asAnn).then(returned);
    given(dispatch, least, handed(), returned).when('dispatch.hand', hand(), asAnn).then(handed(2));
  });
  it('a repeat does not undo the handing over that came after it', () =>
    given(dispatch, least, handed(), returned, handed(2)).when('dispatch.reject', reject(1, true), asAnn).then());
  it('is what was handed over, and not acknowledged', () => {
    given(dispatch, least, handed()).when('dispatch.reject', reject(2, true), asAnn).thenRefused('out-of-range');
    given(dispatch, least, handed(), acknowledged)
      .when('dispatch.reject', reject(1, true), asAnn)
      .thenRefused('illegal-transition');
  });
});

it('is sent once', () =>
  given(dispatch, least)
    .when('dispatch.send', least.data as never)
    .thenRefused('already-exists'));
it('expires where nobody took it, and nothing is given up before', () => {
  const expired = (deliveryId: string, target: string): DispatchEvent => ({
    type: 'DispatchExpired',
    data: { deliveryId, target, handings: 0 },
  });
  given(dispatch, least)
    .when('dispatch.settle', { now: later - 1 })
    .then();
  given(dispatch, least).when('dispatch.settle', { now: later }).then(expired(toAnn, ann), expired(toTeam, 'team:web'));
  given(dispatch).when('dispatch.settle', { now: later }).then();
});
