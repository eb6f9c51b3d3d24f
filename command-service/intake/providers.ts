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

/**
 * The secrets of repositories that have some of their own, by what the provider calls them, in lower case: their deliveries are
 * verified with these alone. @param folder where relative files start @throws ConfigurationError
 */
export async function repositorySecretsOf(
  { name }: Provider,
  { repositories }: Pick<Configuration, 'repositories'>,
  folder: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const own: Promise<[string, readonly string[]]>[] = repositories.flatMap((repository, index) => {
    const { webhook, ...called } = repository;
    const known = (called as { readonly [Provider in ProviderName]?: string | null })[name];
    if (webhook === null || !known) return [];
    const place = `repositories[${index}].webhook.secrets`;
    return [readSecrets(webhook.secrets, place, folder).then((secrets) => [known.toLowerCase(), secrets] as const)].map(
      (read) => read.then(([repositoryName, secrets]): [string, readonly string[]] => [repositoryName, secrets]),
    );
  });
  return new Map(await Promise.all(own));
}
