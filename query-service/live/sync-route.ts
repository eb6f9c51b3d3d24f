import { z } from 'zod';
import { route } from '@workledger/shared/http/route.ts';
import { READERS } from '../reading/query-route.ts';
import { SYNC, syncFrame } from './sync-talk.ts';

/** GET /collaborative/sync without a WebSocket: what is spoken on it. */
export const syncRoute = route({
  method: 'get',
  path: SYNC,
  role: READERS,
  scoped: true,
  summary: 'Documents in step, over a WebSocket',
  description:
    'Open it as a WebSocket; without one it answers what may be said. `subscribe` brings a copy up to date (`change` for each version, or a `snapshot` where there is no copy, it drifted, ' +
    'or it is far behind), then each `change` comes as it is made. `propose` is answered `accepted` or `rejected` under its id, which takes effect once; `resolve` settles a conflict. ' +
    'Who reads too slowly, or asks too often, is dropped with `closing`.',
  tag: 'documents',
  answers: {
    200: {
      description: 'The frames that may be sent, as a JSON Schema.',
      schema: z.strictObject({ upgrade: z.literal('websocket'), frames: z.record(z.string(), z.unknown()) }),
    },
  },
  handler: () => ({
    json: { upgrade: 'websocket', frames: z.toJSONSchema(syncFrame, { io: 'input', unrepresentable: 'any' }) },
  }),
});
