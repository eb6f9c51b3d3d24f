import type { AgentEvent } from '@workledger/shared/events/agent.ts';
import { streamId } from '@workledger/shared/events/stream.ts';
import { agentModel, type AgentRow } from '@workledger/shared/read-models/agent.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldAgent } from './fold.ts';

export const agents = defineProjection<AgentRow, Recorded<AgentEvent>>(agentModel, {
  key: ({ stream }) => [streamId(stream)],
  fold: foldAgent,
});
