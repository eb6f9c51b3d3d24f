import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { MessageTypeEvent } from '@workledger/shared/contexts/agent/message-type/events.ts';
import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { messageTypes } from './projection.ts';

it('says what the newest version of a type is, and since when there is one', () => {
  const id = newId();
  const version = (number: number): MessageTypeEvent => ({
    type: 'MessageTypeRegistered',
    data: { name: 'build.report', number, description: '', schema: { minProperties: number } },
  });
  const rows = foldAll(messageTypes, history(streamName('message-type', id), [version(1), version(2)]));
  expect([...rows.values()]).toEqual([
    {
      ...{ id, revision: 1, name: 'build.report', number: 2, description: '', schema: { minProperties: 2 } },
      ...{ registeredAt: timeOf(0), updatedAt: timeOf(1) },
    },
  ]);
});
