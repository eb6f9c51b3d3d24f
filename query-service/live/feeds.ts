import type { Pool } from 'pg';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Feed } from './feed.ts';
import { documentFeed } from './document-feed.ts';
import { inboxFeed, topicFeed } from './message-feeds.ts';
import { questionFeed } from './question-feed.ts';
import { taskFeed } from './task-feed.ts';
import { workflowFeed } from './workflow-feed.ts';

/** Every feed there is. A new one is added here, and nowhere else. */
export const createFeeds = (pool: Pool, log: EventLog): readonly Feed[] => [
  inboxFeed(pool, log),
  topicFeed,
  taskFeed(pool),
  questionFeed(pool),
  workflowFeed(pool),
  documentFeed(log),
];
