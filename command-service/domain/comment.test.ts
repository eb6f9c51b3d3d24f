import { given } from '@workledger/shared/aggregate/testing.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { CommentEvent } from '@workledger/shared/contexts/task/comment/events.ts';
import { commentFold } from '@workledger/shared/contexts/task/comment/state.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comment } from './comment.ts';

const issueId = '0190a000-0000-7000-8000-000000000001';
const [author, other, operator] = ['agent:1', 'agent:2', 'user:3'];
const creation = { issueId, body: 'seen here, too', repository: 'sample' };
const written: CommentEvent = { type: 'CommentWritten', data: { ...creation, author } };
const edited: CommentEvent = { type: 'CommentEdited', data: { body: 'not here' } };
const deleted: CommentEvent = { type: 'CommentDeleted', data: {} };

describe('a comment', () => {
  it('is written once, by whoever sends it', () => {
    given(comment).when('comment.create', creation, { actor: author }).then(written);
    given(comment, written).when('comment.create', creation, { actor: author }).thenRefused('already-exists');
  });
  it('is edited by its author only, not even by an operator', () => {
    given(comment, written).when('comment.edit', { body: 'not here' }, { actor: author }).then(edited);
    given(comment, written).when('comment.edit', { body: creation.body }, { actor: author }).then();
    for (const actor of [other, operator])
      given(comment, written).when('comment.edit', { body: 'x' }, { actor }).thenRefused('forbidden');
  });
  it('is deleted by its author or an operator, once', () => {
    for (const actor of [author, operator]) given(comment, written).when('comment.delete', {}, { actor }).then(deleted);
    given(comment, written).when('comment.delete', {}, { actor: other }).thenRefused('forbidden');
    given(comment, written, deleted).when('comment.delete', {}, { actor: author }).then();
    given(comment, written, deleted).when('comment.edit', { body: 'x' }, { actor: author }).thenRefused('not-found');
  });
  it('that is not there is neither edited nor deleted', () => {
    given(comment).when('comment.edit', { body: 'x' }, { actor: author }).thenRefused('not-found');
    given(comment).when('comment.delete', {}, { actor: author }).thenRefused('not-found');
  });
});

const wish = fc.tuple(
  fc.constantFrom('create', 'edit', 'delete'),
  fc.constantFrom(author, other, operator),
  fc.string({ minLength: 1, maxLength: 3 }),
);

it('whatever comes: it has its author’s last words until it is deleted, and none ever after', () => {
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 30 }), (wishes) => {
      let state = commentFold.initial;
      let model = { status: 'missing', author: '', body: '' };
      for (const [what, actor, body] of wishes) {
        const context = { id: issueId, actor };
        const { decisions } = comment;
        try {
          const events =
            what === 'create'
              ? decisions['comment.create']({ ...creation, body }, state, context)
              : what === 'edit'
                ? decisions['comment.edit']({ body }, state, context)
                : decisions['comment.delete']({}, state, context);
          state = events.reduce(commentFold.evolve, state);
        } catch (error) {
          if (!(error instanceof CommandRefused)) throw error;
        }
        const isThere = model.status === 'written';
        if (what === 'create' && model.status === 'missing') model = { status: 'written', author: actor, body };
        if (what === 'edit' && isThere && actor === model.author) model = { ...model, body };
        if (what === 'delete' && isThere && (actor === model.author || actor === operator))
          model = { ...model, status: 'deleted', body: '' };
        expect([state.status, state.body]).toEqual([model.status, model.body]);
      }
    }),
    { numRuns: 200 },
  );
});
