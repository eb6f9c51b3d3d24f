import { z } from 'zod';
import { hostAndPort, hostOf } from './outbound.ts';

/** Where events may be sent that others subscribe to, and how long that is tried. */
export const outgoingWebhooksSchema = z
  .strictObject({
    allowHosts: z
      .array(hostAndPort)
      .max(1_000)
      .default([])
      .describe(
        'host:port that may be subscribed; one at a private address, or by http://, also in outbound.privateHosts',
      ),
    timeoutSeconds: z.number().min(0.1).max(60).default(15).describe('for an answer'),
    retrySeconds: z
      .array(z.number().min(0).max(172_800))
      .min(1)
      .max(30)
      .default([5, 300, 1_800, 7_200, 18_000, 36_000])
      .describe('pauses between tries of one delivery, each up to a fifth longer; after the last it is given up'),
    pauseAfterDays: z
      .number()
      .positive()
      .max(90)
      .default(5)
      .describe('a subscription that failed for so long without a success is paused'),
    keepDays: z.number().positive().max(365).default(30).describe('how long what became of a delivery can be read'),
  })
  .prefault({});
export type OutgoingWebhooks = z.infer<typeof outgoingWebhooksSchema>;

type Configured = {
  readonly outgoingWebhooks?: Pick<OutgoingWebhooks, 'allowHosts'>;
  readonly outbound?: { readonly privateHosts: readonly string[] };
};

/** Why events may not be sent to an address; null: they may. */
export function addressFault({ outgoingWebhooks, outbound }: Configured, address: string): string | null {
  if (!URL.canParse(address)) return 'this is no address';
  const url = new URL(address);
  const host = hostOf(url);
  const names = (hosts: readonly string[] = []): boolean => hosts.some((one) => one.toLowerCase() === host);
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    return 'leave out user, password and #: what is sent is signed';
  if (!names(outgoingWebhooks?.allowHosts))
    return `${host} is none of the hosts that may be subscribed: add it to "outgoingWebhooks.allowHosts" of the configuration`;
  if (url.protocol !== 'https:' && !names(outbound?.privateHosts))
    return 'use https; http is for hosts in "outbound.privateHosts" of the configuration';
  return null;
}
