import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer, CommandContext } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { streamName } from '@workledger/shared/contexts/stream.ts';
import { deliveryStreamId } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { providers } from './providers.ts';
import { receiveDelivery, type ReceivingOptions } from './receive.ts';

/**
 * Takes what a provider would have sent, and sagas found by asking it: as a delivery, by the same rules and once, but that it was not
 * signed. @throws CommandRefused
 */
export async function takeFound(
  options: ReceivingOptions,
  target: string,
  { provider: name, event, deliveryId, body }: CommandData<'delivery.take-found'>,
  { correlationId, traceparent = null }: Pick<CommandContext, 'correlationId' | 'traceparent'>,
): Promise<CommandAnswer> {
  const provider = providers.find((one) => one.name === name);
  if (provider === undefined || target !== deliveryStreamId(name, deliveryId))
    return refuse('invalid-command', 'the target is not the delivery that its data name');
  const found = await options.artefacts.get(body.digest);
  if (found === null) return refuse('not-found', `there is no artefact ${body.digest}`);
  const request = { headers: {}, bytes: found.bytes, mediaType: body.mediaType, receivedAt: new Date() };
  const delivery = { event, deliveryId, request, correlationId, traceparent, isFound: true } as const;
  const { receipt, token } = await receiveDelivery(options, provider, delivery);
  const { id, outcome, reason, taskId } = receipt;
  const revision = Number(token.slice(token.lastIndexOf('@') + 1));
  return { id, stream: streamName('delivery', id), revision, token, details: { outcome, reason, taskId } };
}
