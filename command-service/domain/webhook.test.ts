import { given } from '@workledger/shared/aggregate/testing.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { WebhookEvent } from '@workledger/shared/contexts/sync/webhook/events.ts';
import type { WebhookState } from '@workledger/shared/contexts/sync/webhook/state.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webhook, type WebhookDecisions } from './webhook.ts';

const id = (number: number): string => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const maker = `key:${id(1)}`;
const by = { actor: maker };
const wishes = {
  name: 'chat',
  url: 'https://hooks.example.org/workledger',
  eventTypes: ['workledger.task.*'],
  repositories: null,
  secretId: id(2),
};
const reach = 'work' as const;
const data = { ...wishes, reach, madeBy: maker };
const created: WebhookEvent = { type: 'WebhookCreated', data };
const ofAdmin: WebhookEvent = { type: 'WebhookCreated', data: { ...wishes, reach: 'all', madeBy: maker } };
const paused: WebhookEvent = { type: 'WebhookPaused', data: { reason: 'holiday' } };
const disabled: WebhookEvent = { type: 'WebhookDisabled', data: { reason: 'it answers 410' } };
const deleted: WebhookEvent = { type: 'WebhookDeleted', data: {} };
const oldUntil = '2026-12-01T00:00:00.000Z';

describe('a subscription', () => {
  it('is made', () =>
    given(webhook)
      .when('webhook.create', { ...wishes, reach }, by)
      .then(created));
  it('from a position of the log on', () =>
    given(webhook)
      .when('webhook.create', { ...wishes, reach, from: '7' }, by)
      .then({ type: 'WebhookCreated', data: { ...data, from: '7' } }));
  it('once', () =>
    given(webhook, created)
      .when('webhook.create', { ...wishes, reach })
      .thenRefused('already-exists'));
  it('not again after its end', () =>
    given(webhook, created, deleted)
      .when('webhook.create', { ...wishes, reach })
      .thenRefused('already-exists'));
  it.each([
    'workledger.task.TaskFinished',
    'workledger.agent.TaskCompleted',
    'workledger.work.*',
    'workledger.saga-pipeline.*',
  ])('not to %s, which never happens', (type) =>
    given(webhook)
      .when('webhook.create', { ...wishes, reach, eventTypes: ['*', type] })
      .thenRefused('out-of-range', {
        errors: [{ path: 'eventTypes.1', message: `${type}: there is no such event` }],
      }),
  );
  it.each(['workledger.key.KeyCreated', 'workledger.message.*', 'workledger.webhook.WebhookCreated'])(
    'to %s by an administrator, and nobody else',
    (type) => {
      given(webhook)
        .when('webhook.create', { ...wishes, reach: 'work', eventTypes: [type] })
        .thenRefused('out-of-range');
      given(webhook)
        .when('webhook.create', { ...wishes, reach: 'all', eventTypes: [type] })
        .thenState((state) => expect(state?.eventTypes).toEqual([type]));
    },
  );

  it('is changed, by what is another than before', () =>
    given(webhook, created)
      .when('webhook.change', { reach, name: 'chat', eventTypes: ['*'] })
      .then({ type: 'WebhookChanged', data: { eventTypes: ['*'] } }));
  it('is not changed by the same', () =>
    given(webhook, created).when('webhook.change', { reach, name: 'chat' }).then());
  it('of an administrator is changed by one, and its secret, too', () => {
    given(webhook, ofAdmin).when('webhook.change', { reach, name: 'mine' }).thenRefused('forbidden');
    given(webhook, ofAdmin)
      .when('webhook.rotate-secret', { reach, secretId: id(3), oldUntil })
      .thenRefused('forbidden');
  });

  it('is paused and resumed, each once', () => {
    given(webhook, created).when('webhook.pause', { reason: 'holiday' }).then(paused);
    given(webhook, created, paused).when('webhook.pause', { reason: 'again' }).then();
    given(webhook, created, paused).when('webhook.resume', {}).then({ type: 'WebhookResumed', data: {} });
    given(webhook, created).when('webhook.resume', {}).then();
  });
  it('that said it is gone can be taken up again', () => {
    given(webhook, created).when('webhook.disable', { reason: 'it answers 410' }).then(disabled);
    given(webhook, created, disabled).when('webhook.disable', { reason: 'it answers 410' }).then();
    given(webhook, created, disabled)
      .when('webhook.resume', { from: '9' })
      .then({ type: 'WebhookResumed', data: { from: '9' } });
  });
  it('is given up by the system, with the reason, once', () => {
    given(webhook, created).when('webhook.give-up', { reason: 'holiday' }).then(paused);
    given(webhook, created, paused).when('webhook.give-up', { reason: 'late' }).then();
    given(webhook).when('webhook.give-up', { reason: 'late' }).then();
  });

  it('changes its secret: the one before is good until then', () =>
    given(webhook, created)
      .when('webhook.rotate-secret', { reach, secretId: id(3), oldUntil })
      .thenState((state) =>
        expect(state).toMatchObject({ secretId: id(3), old: { secretId: id(2), until: oldUntil } }),
      ));

  it('sends a test and sends again, while it is active', () => {
    given(webhook, created)
      .when('webhook.test', {}, by)
      .then({ type: 'WebhookTestAsked', data: { askedBy: maker } });
    given(webhook, created).when('webhook.redeliver', {}).then({ type: 'WebhookRedeliveryAsked', data: {} });
    const one = { deliveryId: id(4) };
    given(webhook, created).when('webhook.redeliver', one).then({ type: 'WebhookRedeliveryAsked', data: one });
    for (const state of [paused, disabled])
      for (const type of ['webhook.test', 'webhook.redeliver'] as const)
        given(webhook, created, state).when(type, {}).thenRefused('illegal-transition');
  });

  it('drops a delivery, whether or not it is active', () => {
    const one = { deliveryId: id(4) };
    for (const state of [[], [paused], [disabled]])
      given(webhook, created, ...state)
        .when('webhook.drop-delivery', one)
        .then({ type: 'WebhookDeliveryDropped', data: one });
    for (const state of [[], [created, deleted]])
      given(webhook, ...state)
        .when('webhook.drop-delivery', one)
        .thenRefused('not-found');
  });

  it('ends once, and is not there after that', () => {
    given(webhook, created).when('webhook.delete', {}).then(deleted);
    given(webhook, created, deleted).when('webhook.delete', {}).then();
    given(webhook).when('webhook.delete', {}).thenRefused('not-found');
    for (const type of ['webhook.pause', 'webhook.resume', 'webhook.test', 'webhook.redeliver'] as const)
      given(webhook, created, deleted).when(type, { reason: 'x' }).thenRefused('not-found');
  });
});

type Sent = {
  readonly [Type in keyof WebhookDecisions]: { readonly type: Type; readonly data: WebhookDecisions[Type] };
}[keyof WebhookDecisions];

const reason = { reason: 'x' };
const reaches = fc.constantFrom('work' as const, 'all' as const);
const sent: fc.Arbitrary<Sent> = fc.oneof(
  reaches.map((own) => ({ type: 'webhook.create' as const, data: { ...wishes, reach: own } })),
  fc
    .tuple(reaches, fc.constantFrom('a', 'b'))
    .map(([own, name]) => ({ type: 'webhook.change' as const, data: { reach: own, name } })),
  fc.tuple(reaches, fc.constantFrom(id(5), id(6))).map(([own, secretId]) => ({
    ...{ type: 'webhook.rotate-secret' as const, data: { reach: own, secretId, oldUntil } },
  })),
  fc.constantFrom<Sent>(
    { type: 'webhook.pause', data: reason },
    { type: 'webhook.give-up', data: reason },
    { type: 'webhook.disable', data: reason },
    { type: 'webhook.resume', data: {} },
    { type: 'webhook.test', data: {} },
    { type: 'webhook.redeliver', data: {} },
    { type: 'webhook.drop-delivery', data: { deliveryId: id(4) } },
    { type: 'webhook.delete', data: {} },
  ),
);

it('whatever is sent: it is made once, nothing follows its end, it sends while it is active only, and no operator has more than work', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 15 }), (commands) => {
      let state: WebhookState = webhook.initial;
      for (const command of commands) {
        const decide = webhook.decisions[command.type] as (
          data: unknown,
          state: WebhookState,
          context: object,
        ) => readonly WebhookEvent[];
        const before = state;
        let events: readonly WebhookEvent[] = [];
        try {
          events = decide(command.data, before, { id: id(9), actor: maker });
        } catch (error) {
          if (!(error instanceof CommandRefused)) throw error;
        }
        for (const event of events) state = webhook.evolve(state, event);
        expect(events.length).toBeLessThanOrEqual(1);
        const [event] = events;
        if (event === undefined) continue;
        expect(event.type === 'WebhookCreated').toBe(before === null);
        expect(before?.status).not.toBe('deleted');
        if (event.type === 'WebhookTestAsked' || event.type === 'WebhookRedeliveryAsked')
          expect(before?.status).toBe('active');
        if (before !== null && 'reach' in command.data && command.data.reach === 'work')
          expect(before.reach).toBe('work');
        expect(state?.reach).toBe(before?.reach ?? state?.reach);
      }
    }),
  );
});
