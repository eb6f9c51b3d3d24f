import { recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { addressFault } from '@workledger/shared/config/outgoing-webhooks.ts';
import type { Reach } from '@workledger/shared/contexts/sync/webhook/events.ts';
import { checkRepository } from './references.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

const reachOf = ({ caller }: StepContext): Reach => (caller?.role === 'admin' ? 'all' : 'work');

type Wishes = Pick<CommandData<'webhook.change'>, 'url' | 'repositories'>;

/** What the configuration says of an address is checked here, once; whether it is a public one, at each call. @throws CommandRefused */
function checkWishes(room: Room, { url, repositories }: Wishes): void {
  const fault = url === undefined ? null : addressFault(room.configuration, url);
  if (fault !== null) refuse('out-of-range', fault, { errors: [{ path: 'url', message: fault }] });
  for (const repository of repositories ?? []) checkRepository(room, repository);
}

async function isFirst({ aggregates }: Room, id: string, { commandId, commandHash }: StepContext): Promise<boolean> {
  return recall((await aggregates.webhook.load(id)).commands, commandId, commandHash) === undefined;
}

/** @throws CommandRefused */
export async function createWebhook(
  room: Room,
  id: string,
  data: CommandData<'webhook.create'>,
  context: StepContext,
): Promise<CommandAnswer> {
  if (await isFirst(room, id, context)) checkWishes(room, data);
  const command = { type: 'webhook.create' as const, data: { ...data, reach: reachOf(context) } };
  return room.aggregates.webhook.handle(id, command, context);
}

/** @throws CommandRefused */
export async function changeWebhook(
  room: Room,
  id: string,
  data: CommandData<'webhook.change'>,
  context: StepContext,
): Promise<CommandAnswer> {
  if (await isFirst(room, id, context)) checkWishes(room, data);
  const command = { type: 'webhook.change' as const, data: { ...data, reach: reachOf(context) } };
  return room.aggregates.webhook.handle(id, command, context);
}

/** Changes the secret that signs; secrets that are neither this one nor the one before are removed. @throws CommandRefused */
export async function rotateSecret(
  room: Room,
  id: string,
  { oldValidSeconds, secretId }: CommandData<'webhook.rotate-secret'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const oldUntil = new Date(room.now() + 1_000 * oldValidSeconds).toISOString();
  const data = { secretId, oldUntil, reach: reachOf(context) };
  const answer = await room.aggregates.webhook.handle(id, { type: 'webhook.rotate-secret', data }, context);
  const { state } = await room.aggregates.webhook.load(id);
  if (state !== null)
    await room.webhookSecrets.keepOnly(id, [state.secretId, ...(state.old ? [state.old.secretId] : [])]);
  return answer;
}

/** Its secrets are removed, after its event: the same request again finishes that. @throws CommandRefused */
export async function deleteWebhook(room: Room, id: string, context: StepContext): Promise<CommandAnswer> {
  const answer = await room.aggregates.webhook.handle(id, { type: 'webhook.delete', data: {} }, context);
  await room.webhookSecrets.keepOnly(id, []);
  return answer;
}

/**
 * Holds whoever is limited to repositories to subscriptions that are limited to some of them; all others are not there for it.
 * @throws CommandRefused `not-found`, `unknown-repository`
 */
export async function checkWebhookScope(
  { aggregates }: Room,
  repositories: readonly string[],
  { type, target, data }: { readonly type: string; readonly target: string; readonly data: unknown },
): Promise<void> {
  const isWithin = (wanted: readonly string[] | null | undefined): boolean =>
    wanted?.every((repository) => repositories.includes(repository)) ?? false;
  const { repositories: wanted } = data as Wishes;
  if (type !== 'webhook.create') {
    const { state } = await aggregates.webhook.load(target);
    if (!isWithin(state?.repositories)) refuse('not-found', 'there is no such webhook');
  }
  if ((type === 'webhook.create' || wanted !== undefined) && !isWithin(wanted))
    refuse('unknown-repository', 'name repositories of those that the key is limited to, and no other', {
      repositories: wanted ?? null,
    });
}
