import type { Configuration } from '@workledger/shared/config/schema.ts';
import { covers } from '@workledger/shared/config/installed.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { asGithubFailure } from '../../github/classify.ts';
import { openGithub } from '../../github/github.ts';
import { oneLine, type CheckResult } from './result.ts';

const SECONDS = 60;
const MOST_NAMES = 10;

/** Whether a GitHub App is installed for what is registered; what it may work in beside that is a hint. Of a token nobody can tell. */
export async function checkInstallation(configuration: Configuration, folder: string): Promise<CheckResult[]> {
  if (configuration.github?.app == null) return [];
  const subject = 'github: installations';
  // What is wrong with the login was told with the configuration.
  const github = await openGithub(configuration, folder).catch(() => null);
  if (github === null) return [];
  try {
    const installed = (await github.installed(timeoutSignal(1_000 * SECONDS))) ?? {};
    return [{ subject, ...compared(Object.keys(installed), configuration) }];
  } catch (error) {
    const failure: unknown = asGithubFailure('check', error);
    return [{ subject, ok: false, detail: oneLine(failure instanceof Error ? failure.message : String(failure)) }];
  }
}

/** @param names of repositories that the app may work in */
function compared(
  names: readonly string[],
  { repositories, installed }: Pick<Configuration, 'repositories' | 'installed'>,
): Omit<CheckResult, 'subject'> {
  const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
  const missing = repositories.filter(({ github }) => github !== null && !names.some((one) => same(one, github)));
  const others = names.filter((one) => !repositories.some(({ github }) => github !== null && same(one, github)));
  const taken = others.filter((one) => installed !== null && covers(installed.of, one));
  const more = others.filter((one) => !taken.includes(one));
  const hint = more.length === 0 ? '' : `; it may work in ${listed(more)}, too: register what is to be worked on`;
  const told =
    taken.length === 0 ? '' : `; ${listed(taken)} ${taken.length === 1 ? 'is' : 'are'} registered by "installed"`;
  if (missing.length === 0)
    return { ok: true, detail: oneLine(`the app may work in all that is registered${told}${hint}`) };
  const lacking = missing.map(({ name, github }) => `${github} (repository "${name}")`);
  const detail = `the app may not work in ${listed(lacking)}: install it there, or correct "github"${told}${hint}`;
  return { ok: false, detail: oneLine(detail) };
}

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
