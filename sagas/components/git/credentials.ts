export type SplitUrl = {
  /** The address without user and password. */
  readonly url: string;
  /** Options of git itself, before its command: they name a variable, never its value. */
  readonly settings: readonly string[];
  /** What the settings name: a secret. */
  readonly environment: Readonly<Record<string, string>>;
};

const SCHEME = /^https?:\/\//i;
const AUTHORIZATION = 'WORKLEDGER_GIT_AUTHORIZATION';
const USER = 'WORKLEDGER_GIT_USER';

/**
 * Takes user and password out of an `http(s)://` address: arguments are seen by every user of the machine, and git writes some of
 * them into its files. Git gets them by its environment, for that host only; all else is left as it is.
 * Source: https://git-scm.com/docs/git#Documentation/git.txt---config-envltnamegtltenvvargt (git 2.31)
 */
export function splitUrl(url: string): SplitUrl {
  const [scheme = ''] = SCHEME.exec(url) ?? [];
  const slash = url.indexOf('/', scheme.length);
  const end = slash < 0 ? url.length : slash;
  const [authority, path] = [scheme === '' ? '' : url.slice(scheme.length, end), url.slice(end)];
  const at = authority.lastIndexOf('@');
  if (at < 0) return { url, settings: [], environment: {} };
  const who = authority.slice(0, at);
  const host = `${scheme}${authority.slice(at + 1)}/`;
  const [user = '', ...password] = who.split(':');
  const clean = scheme + authority.slice(at + 1) + path;
  // Without a password a helper of the user's has it.
  if (password.length === 0)
    return {
      url: clean,
      settings: user === '' ? [] : [`--config-env=credential.${host}.username=${USER}`],
      environment: user === '' ? {} : { [USER]: decoded(user) },
    };
  return {
    url: clean,
    settings: [`--config-env=http.${host}.extraHeader=${AUTHORIZATION}`],
    environment: { [AUTHORIZATION]: authorizationOf(decoded(user), decoded(password.join(':'))) },
  };
}

/**
 * By what git is let in with a token, at this address alone. The machine's own helpers are left out, which would forget their login as
 * a wrong one, and so are its headers; no redirect takes the token elsewhere.
 * Source: https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT (git 2.31)
 */
export function environmentOf(url: string, token: string): Readonly<Record<string, string>> {
  const settings = [
    ['credential.helper', ''],
    [`http.${url}.followRedirects`, 'false'],
    [`http.${url}.extraHeader`, ''],
    [`http.${url}.extraHeader`, authorizationOf('x-access-token', token)],
  ] as const;
  const named = settings.flatMap(([name, value], index): [string, string][] => [
    [`GIT_CONFIG_KEY_${index}`, name],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_ASKPASS: '', GIT_CONFIG_COUNT: String(settings.length), ...Object.fromEntries(named) };
}

const authorizationOf = (user: string, password: string): string =>
  `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
