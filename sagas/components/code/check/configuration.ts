import { access, constants } from 'node:fs/promises';
import { ConfigurationError } from '@workledger/shared/config/faults.ts';
import { readSecrets } from '@workledger/shared/config/load.ts';
import type { Configuration, Repository } from '@workledger/shared/config/schema.ts';
import { type CheckResult, oneLine } from './result.ts';

/** What can be seen in the configuration itself, and in the files and variables that it names. */
export async function checkConfiguration(configuration: Configuration, folder: string): Promise<CheckResult[]> {
  const { repositories, agents, webhooks, tls } = configuration;
  if (repositories.length === 0 && agents.length === 0)
    return [
      {
        subject: 'configuration',
        ok: false,
        detail:
          'there is nothing to check: write workledger.json with "repositories" and "agents", as the README shows',
      },
    ];
  const secrets = [
    ...Object.entries(webhooks).map(([provider, webhook]) => ({
      place: `webhooks.${provider}.secrets`,
      sources: webhook?.secrets ?? [],
    })),
    ...repositories.map(({ name, webhook }) => ({
      place: `repository "${name}": webhook`,
      sources: webhook?.secrets ?? [],
    })),
  ];
  const found = await Promise.all([
    ...secrets.map(({ place, sources }) => checkSecrets(place, sources, folder)),
    ...(tls !== null && 'key' in tls
      ? [checkFile('tls.certificate', tls.certificate), checkFile('tls.key', tls.key)]
      : []),
  ]);
  return [...found.flat(), ...repositories.flatMap((repository) => checkRegistration(repository, configuration))];
}

async function checkSecrets(
  subject: string,
  sources: Parameters<typeof readSecrets>[0],
  folder: string,
): Promise<CheckResult[]> {
  try {
    await readSecrets(sources, subject, folder);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [{ subject, ok: false, detail: oneLine(error.faults.join('; ')) }];
  }
}

const checkFile = (subject: string, file: string): Promise<CheckResult[]> =>
  access(file, constants.R_OK).then(
    () => [],
    () => [{ subject, ok: false, detail: `${file} is not there, or not readable for this user` }],
  );

function checkRegistration(repository: Repository, { agents }: Configuration): CheckResult[] {
  const { name, trusted, github, capabilities, url } = repository;
  const subject = `repository "${name}"`;
  const results: CheckResult[] = [];
  const logins = trusted.filter((login) => login.includes('@') && !login.startsWith('linear:'));
  if (logins.length > 0) {
    const detail = `logins are written without "@", and are no addresses: correct ${logins.join(', ')}`;
    results.push({ subject: `${subject}: trusted`, ok: false, detail });
  }
  const missing = capabilities.filter((capability) => !agents.some((agent) => agent.capabilities.includes(capability)));
  if (agents.length > 0 && missing.length > 0) {
    const detail = `no configured agent has ${missing.join(', ')}: its tasks wait for a remote one, or add it to an agent`;
    results.push({ subject: `${subject}: capabilities`, ok: false, detail });
  }
  const misspelt = github === null ? null : gitHubFault(github, url);
  if (misspelt !== null) results.push({ subject: `${subject}: github`, ok: false, detail: misspelt });
  return results;
}

const GITHUB_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[A-Za-z0-9._-]{1,100}$/;

/** Deliveries name a repository as GitHub does; what is written otherwise never meets one. */
function gitHubFault(github: string, url: string): string | null {
  if (!GITHUB_NAME.test(github) || github.endsWith('.git'))
    return `"${github}" is no name of GitHub's: write owner/repository, without address and ".git"`;
  const inUrl = /github\.com[/:]([^/\s]+\/[^/\s]+?)(?:\.git)?\/?$/.exec(url)?.[1];
  return inUrl === undefined || inUrl.toLowerCase() === github.toLowerCase()
    ? null
    : `"${github}" is not the repository of its "url" (${inUrl}): correct one of them`;
}
