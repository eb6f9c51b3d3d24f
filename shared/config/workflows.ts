import { z } from 'zod';
import { hostAndPort } from './outbound.ts';

/** Where steps of workflows may reach. */
export const workflowsSchema = z
  .strictObject({
    allowHosts: z
      .array(hostAndPort)
      .max(1_000)
      .default([])
      .describe(
        'host:port that `http.request` of workflows may call; one at a private address, or by http://, also in outbound.privateHosts',
      ),
  })
  .prefault({});
