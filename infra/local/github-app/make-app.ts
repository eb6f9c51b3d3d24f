import { ConfigurationError } from '@workledger/shared/config/faults.ts';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { startAppFlow } from './flow.ts';
import { keepApp } from './keep.ts';

export type MakeAppOptions = {
  readonly configuration: Pick<Configuration, 'github' | 'outbound' | 'publicUrl'>;
  readonly configurationFile: string;
  readonly dataFolder: string;
  readonly organization: string | null;
  /** Of GitHub's API; null: the one that is configured, or GitHub's own. */
  readonly url: string | null;
  readonly tell: (line: string) => void;
};

/** Has a person make a GitHub App by one button, and keeps what it is. @throws ConfigurationError where GitHub could not reach us */
export async function makeApp({ configuration, organization, tell, ...place }: MakeAppOptions): Promise<void> {
  const { github, outbound, publicUrl } = configuration;
  if (publicUrl === null)
    throw new ConfigurationError('publicUrl', ['null → set the address at which GitHub reaches Workledger']);
  let kept: readonly string[] = [];
  const flow = await startAppFlow({
    ...{ api: place.url ?? github?.url ?? 'https://api.github.com', organization, publicUrl },
    privateHosts: outbound.privateHosts,
    keep: async (app) => {
      kept = await keepApp(app, place);
    },
  });
  tell(`open ${flow.url} in a browser on this machine, and press the button (Ctrl-C gives up)`);
  const { html_url } = await flow.finished;
  await flow.close();
  for (const line of kept) tell(line);
  tell(`install it where your repositories are: ${html_url}/installations/new`);
}
