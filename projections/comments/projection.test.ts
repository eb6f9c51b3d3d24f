import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { CommentEvent } from '@workledger/shared/contexts/task/comment/events.ts';
import { expect, it } from 'vitest';
import { foldAll } from '../engine/fold-all.ts';
import { comments } from './projection.ts';

it('has what was said last, and nothing of what was deleted', () => {
  const [id, issueId] = [newId(), newId()];
  const of = { issueId, repository: null, author: 'user:1' };
  const events: CommentEvent[] = [
    { type: 'CommentWritten', data: { ...of, body: 'here, too' } },
    { type: 'CommentEdited', data: { body: 'not here' } },
    { type: 'CommentDeleted', data: {} },
  ];
  const rows = (length: number) => [
    ...foldAll(comments, history(streamName('comment', id), events.slice(0, length))).values(),
  ];
  const row = { id, ...of, createdAt: timeOf(0) };
  expect(rows(1)).toEqual([{ ...row, revision: 0, body: 'here, too', editedAt: null }]);
  expect(rows(2)).toEqual([{ ...row, revision: 1, body: 'not here', editedAt: timeOf(1) }]);
  expect(rows(3)).toEqual([]);
});
