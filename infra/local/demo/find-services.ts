import type { Addresses } from './client.ts';

type OpenApi = { readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };

/**
 * Of one address: it stands in front of everything. Of several: asks each what it answers.
 * @throws Error when nobody answers there, or none of them is the service that is needed
 */
export async function findServices(addresses: readonly string[]): Promise<Addresses> {
  const urls = addresses.map((address) => address.replace(/\/+$/, ''));
  const [first = '', ...others] = urls;
  const apis = await Promise.all(urls.map(async (url) => ({ url, paths: (await describe(url)).paths ?? {} })));
  if (others.length === 0) return { commands: first, queries: first };
  const commands = apis.find(({ paths }) => paths['/api/v1/webhooks/github']?.['post'] !== undefined);
  const queries = apis.find(({ paths }) => paths['/api/v1/tasks']?.['get'] !== undefined);
  if (commands === undefined || queries === undefined)
    throw new Error(`${urls.join(', ')}: ${commands === undefined ? 'command' : 'query'}-service is not among them`);
  return { commands: commands.url, queries: queries.url };
}

async function describe(url: string): Promise<OpenApi> {
  try {
    const answer = await fetch(`${url}/api/v1/openapi.json`);
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return (await answer.json()) as OpenApi;
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error };
    throw new Error(
      `${url}: no Workledger answers there (${cause?.message ?? message}) → start it, or mend --against`,
      {
        cause: error,
      },
    );
  }
}
