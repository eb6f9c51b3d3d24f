import { createHash } from 'node:crypto';
import { embeddedText } from '@workledger/shared/contexts/agent/knowledge/embedded-text.ts';
import type { KnowledgeEvent } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import {
  knowledgeModel,
  knowledgeVersionModel,
  type KnowledgeRow,
  type KnowledgeVersionRow,
} from '@workledger/shared/contexts/agent/knowledge/row.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, existing, type Recorded } from '../engine/projection.ts';
import { knowledgeMigrations } from './migration.ts';

type Text = Pick<KnowledgeRow, 'title' | 'content' | 'category' | 'tags' | 'language'>;

const textOf = ({ title, content, category, tags, language }: Text): Text => ({
  title,
  content,
  category,
  tags,
  language,
});

const digestOf = (text: Text): string => createHash('sha256').update(embeddedText(text)).digest('hex');

export const knowledge = defineProjection<KnowledgeRow, Recorded<KnowledgeEvent>>(knowledgeModel, {
  migrations: knowledgeMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: (row, event, id) => {
    const { revision } = event;
    const at = event.recordedAt.toISOString();
    if (event.type === 'KnowledgeCreated') {
      const { author, access, repository } = event.data;
      return {
        ...{ id, revision, version: 1, ...textOf(event.data), author, ...accessOf(access), repository },
        ...{ related: [], archived: false, reason: null, createdAt: at, updatedAt: at, digest: digestOf(event.data) },
      };
    }
    const before = { ...existing(row, event), revision, updatedAt: at };
    switch (event.type) {
      case 'KnowledgeRevised': {
        const { version } = event.data;
        return { ...before, version, ...textOf(event.data), digest: digestOf(event.data) };
      }
      case 'KnowledgeShared':
        return { ...before, ...accessOf(event.data.access) };
      case 'KnowledgeRelated':
        return { ...before, related: [...before.related, event.data.relatedId] };
      case 'KnowledgeUnrelated':
        return { ...before, related: before.related.filter((related) => related !== event.data.relatedId) };
      case 'KnowledgeArchived':
        return { ...before, archived: true, reason: event.data.reason };
      case 'KnowledgeRestored':
        return { ...before, archived: false, reason: null };
    }
  },
});

type Access = Extract<KnowledgeEvent, { type: 'KnowledgeShared' }>['data']['access'];

const accessOf = (access: Access): Pick<KnowledgeRow, 'access' | 'team'> => ({
  access: access.kind,
  team: access.kind === 'team' ? access.team : null,
});

/** A row a version; its tables are made with those of the entries. */
export const knowledgeVersions = defineProjection<KnowledgeVersionRow, Recorded<KnowledgeEvent>>(
  knowledgeVersionModel,
  {
    migrations: [],
    key: (event) => {
      const version = versionOf(event);
      return version === null ? [] : [`${streamId(event.stream)}/${version}`];
    },
    fold: (row, event, id) => {
      const version = versionOf(event);
      if (version === null || (event.type !== 'KnowledgeCreated' && event.type !== 'KnowledgeRevised')) return row;
      const editor = event.type === 'KnowledgeCreated' ? event.data.author : event.data.editor;
      const written = { editor, writtenAt: event.recordedAt.toISOString() };
      return { id, entryId: streamId(event.stream), version, ...textOf(event.data), ...written };
    },
  },
);

const versionOf = (event: Recorded<KnowledgeEvent>): number | null =>
  event.type === 'KnowledgeCreated' ? 1 : event.type === 'KnowledgeRevised' ? event.data.version : null;
