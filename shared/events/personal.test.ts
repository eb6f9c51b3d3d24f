import { expect, it } from 'vitest';
import { deliveryEvents } from '../contexts/sync/delivery/events.ts';
import { withoutPersonal } from './personal.ts';

it('leaves out personal fields, also those of a nested choice, and keeps all else', () => {
  const data = {
    rule: 'label',
    taskId: '5f1c53b4-6f5a-4d0e-9a63-0d3b6f8f2a11',
    intent: {
      kind: 'create-task' as const,
      title: 'Faster',
      description: 'Ada asks',
      repository: 'sample',
      labels: ['workledger'],
      priority: 3,
      capabilities: ['code'],
      source: { kind: 'github' as const, reference: 'ada/sample#1', url: null },
      requester: 'ada',
    },
  };
  const kept = withoutPersonal(deliveryEvents.events.DeliveryRouted.schema, data) as typeof data;
  expect(kept.intent).not.toHaveProperty('description');
  expect(kept.intent).not.toHaveProperty('requester');
  expect(kept).toMatchObject({ rule: 'label', intent: { title: 'Faster', repository: 'sample' } });
});
