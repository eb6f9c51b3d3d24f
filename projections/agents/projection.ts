import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { agentModel, type AgentRow } from '@workledger/shared/contexts/agent/agent/row.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldAgent } from './fold.ts';
import { agentsMigrations } from './migration.ts';

export const agents = defineProjection<AgentRow, Recorded<AgentEvent>>(agentModel, {
  migrations: agentsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldAgent,
});
