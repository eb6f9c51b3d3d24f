import { expect, it } from 'vitest';
import type { KnowledgeEvent } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import type { KnowledgeRow } from '@workledger/shared/contexts/agent/knowledge/row.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { history, timeOf } from '@workledger/infra/testing/events/history.ts';
import { foldAll } from '../engine/fold-all.ts';
import { knowledge, knowledgeVersions } from './projection.ts';

const id = newId();
const [author, editor, relatedId] = [`agent:${newId()}`, `user:${newId()}`, newId()];
const first = { title: 'Pools', content: 'Small.', category: null, tags: ['sql'], language: 'english' as const };
const second = { ...first, content: 'Ten.', category: 'databases' };
const events: KnowledgeEvent[] = [
  { type: 'KnowledgeCreated', data: { author, access: { kind: 'team', team: 'core' }, repository: 'shop', ...first } },
  { type: 'KnowledgeRevised', data: { author, version: 2, editor, ...second } },
  { type: 'KnowledgeRelated', data: { relatedId } },
  { type: 'KnowledgeArchived', data: { reason: 'old' } },
];
const stream = streamName('knowledge', id);
const row = (given: readonly KnowledgeEvent[]) => foldAll(knowledge, history(stream, given)).get(id) as KnowledgeRow;

it('has the newest version of an entry, and who may read it', () => {
  expect(row(events)).toEqual({
    ...{ id, revision: 3, version: 2, ...second, author, access: 'team', team: 'core', repository: 'shop' },
    ...{ related: [relatedId], archived: true, reason: 'old', createdAt: timeOf(0), updatedAt: timeOf(3) },
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

it('forgets the team with which an entry is shared no more, a link that was taken back, and why it was archived', () => {
  const later: KnowledgeEvent[] = [
    { type: 'KnowledgeShared', data: { access: { kind: 'private' } } },
    { type: 'KnowledgeUnrelated', data: { relatedId } },
    { type: 'KnowledgeRestored', data: {} },
  ];
  expect(row([...events, ...later])).toMatchObject({
    ...{ access: 'private', team: null, related: [], archived: false, reason: null },
  });
});

it('has another digest where the text is another, and the same where only its readers are', () => {
  const [before, after] = [row(events.slice(0, 1)), row(events.slice(0, 2))];
  expect(after).not.toMatchObject({ digest: before.digest });
  expect(row(events)).toMatchObject({ digest: after.digest });
});

it('keeps each version as it was written', () => {
  const versions = foldAll(knowledgeVersions, history(stream, events));
  expect([...versions.values()]).toEqual([
    { id: `${id}/1`, entryId: id, version: 1, ...first, editor: author, writtenAt: timeOf(0) },
    { id: `${id}/2`, entryId: id, version: 2, ...second, editor, writtenAt: timeOf(1) },
  ]);
});
