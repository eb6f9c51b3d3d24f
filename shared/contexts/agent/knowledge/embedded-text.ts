import type { KnowledgeRow } from './row.ts';

/** Characters. Models read some hundred words; what an entry is about stands at its beginning. */
const MOST_READ = 8_000;

/** What the meaning of an entry is computed from. */
export const embeddedText = ({ title, content, tags }: Pick<KnowledgeRow, 'title' | 'content' | 'tags'>): string =>
  [title, tags.join(', '), content].filter(Boolean).join('\n').slice(0, MOST_READ).toWellFormed();
