import { readSecrets } from '@workledger/shared/config/load.ts';
import type { Configuration, SecretSource } from '@workledger/shared/config/schema.ts';
import type { ProviderName } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { Provider } from './provider.ts';
import { github } from './providers/github.ts';

/** Everybody whose webhooks are received, each at `/api/v1/webhooks/<name>`. */
export const providers: readonly Provider[] = [github];

type Webhooks = { readonly [Name in ProviderName]?: { readonly secrets: readonly SecretSource[] } | null };

/**
 * What the configuration has under the provider's name; none: every delivery is refused.
 * @param folder where relative files start @throws ConfigurationError
 */
export function secretsOf(
  { name }: Provider,
  configuration: Pick<Configuration, 'webhooks'>,
  folder: string,
): Promise<readonly string[]> {
  const webhooks: Webhooks = configuration.webhooks;
  return readSecrets(webhooks[name]?.secrets ?? [], `webhooks.${name}.secrets`, folder);
}
