import type { Configuration } from '@workledger/shared/config/schema.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { LoadedPlugin } from '@workledger/shared/plugins/load.ts';
import { PluginFailure } from '@workledger/shared/plugins/isolation.ts';
import type { RoutingRules } from '../domain/signal.ts';
import type { Provider } from './provider.ts';
import type { WebhookOptions } from './webhook-route.ts';

type Source = Pick<WebhookOptions, 'provider' | 'secrets' | 'rules'>;

/** The secret that deliveries of a plugin's provider are verified with. */
const WEBHOOK_SECRET = 'webhook';

/** The providers that plugins bring, each with its secrets, and with what the plugin's configuration calls repositories and asks for. */
export const pluginProviders = (
  plugins: readonly LoadedPlugin[],
  { repositories }: Pick<Configuration, 'repositories'>,
): readonly Source[] =>
  plugins.flatMap((plugin) =>
    Object.entries(plugin.parts.providers as Readonly<Record<string, Provider>>).map(([name, provider]) => ({
      provider: isolated(plugin, { ...provider, name: name as Provider['name'] }),
      secrets: plugin.secrets[WEBHOOK_SECRET] ?? [],
      rules: rulesOf(plugin, name as Provider['name'], repositories),
    })),
  );

function rulesOf(
  { entry }: LoadedPlugin,
  provider: Provider['name'],
  repositories: Configuration['repositories'],
): RoutingRules {
  return {
    repositories: repositories.map(({ name, trusted, capabilities }) => ({
      ...{ name, trusted, capabilities },
      [provider]: entry.repositories[name] ?? null,
    })),
    rules: entry.rules.map((rule) => ({ ...rule, provider })),
  };
}

const isAnswer = (error: unknown): boolean => error instanceof Problem;

/** What fails within it is answered 503: whoever sent the delivery sends it again. */
function isolated({ manifest, isolation }: LoadedPlugin, provider: Provider): Provider {
  const guard = <Result>(action: () => Result): Result => {
    try {
      return isolation.run(`provider ${provider.name}`, action, isAnswer);
    } catch (error) {
      if (!(error instanceof PluginFailure)) throw error;
      const detail = `the plugin "${manifest.name}" cannot take deliveries now; send it again`;
      throw new Problem('unavailable', detail, { cause: error, headers: { 'Retry-After': '30' } });
    }
  };
  const { claimedRepositories } = provider;
  return {
    ...provider,
    ...(claimedRepositories && { claimedRepositories: (request) => guard(() => claimedRepositories(request)) }),
    verify: (...given) => guard(() => provider.verify(...given)),
    identify: (request) => guard(() => provider.identify(request)),
    read: (event, request) => guard(() => provider.read(event, request)),
  };
}
