import { readSecrets } from '@workledger/shared/config/load.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import type { SecretSource } from '@workledger/shared/config/secret-source.ts';
import type { ProviderName } from '@workledger/shared/contexts/sync/delivery/events.ts';
import type { Provider } from './provider.ts';
import { github } from './providers/github.ts';
import { linear } from './providers/linear.ts';
import { slack } from './providers/slack.ts';

/** Everybody whose webhooks are received, each at `/api/v1/webhooks/<name>`. */
export const providers: readonly Provider[] = [github, linear, slack];

type Webhook = { readonly secrets: readonly SecretSource[]; readonly maxAgeSeconds?: number };
type Webhooks = { readonly [Name in ProviderName]?: Webhook | null };

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

/** How old a delivery may be, as it is configured; undefined: as the provider has it. */
export function maxAgeOf({ name }: Provider, configuration: Pick<Configuration, 'webhooks'>): number | undefined {
  const webhooks: Webhooks = configuration.webhooks;
  return webhooks[name]?.maxAgeSeconds;
}

/**
 * The secrets of repositories that have some of their own, by what the provider calls them, in lower case: their deliveries are
 * verified with these alone. @param folder where relative files start
 * @param onFault told of secrets that cannot be read: no delivery of that repository is taken then; default: it throws
 * @throws ConfigurationError
 */
export async function repositorySecretsOf(
  { name }: Provider,
  { repositories }: Pick<Configuration, 'repositories'>,
  folder: string,
  onFault?: (error: unknown) => void,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const own = repositories.flatMap((repository, index) => {
    const { webhook, ...called } = repository;
    const known = (called as { readonly [Provider in ProviderName]?: string | null })[name];
    if (webhook?.provider !== name || !known) return [];
    const read = async (): Promise<[string, readonly string[]]> => {
      try {
        return [
          known.toLowerCase(),
          await readSecrets(webhook.secrets, `repositories[${index}].webhook.secrets`, folder),
        ];
      } catch (error) {
        if (onFault === undefined) throw error;
        onFault(error);
        return [known.toLowerCase(), []];
      }
    };
    return [read()];
  });
  return new Map(await Promise.all(own));
}
