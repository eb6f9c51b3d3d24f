import { createVerify, type KeyObject } from 'node:crypto';

/** Who asks: a person by a token, an app by its key, or an app's installation by a token that was made for it. */
export type FakeLogin =
  | { readonly kind: 'token'; readonly login: string }
  | { readonly kind: 'app'; readonly appId: string }
  | ({
      readonly kind: 'installation';
      readonly appId: string;
      readonly login: string;
      readonly id: number;
    } & FakeReach);

/** What a token of an installation is good for. */
export type FakeReach = {
  /** Names below the owner, in lower case; null: all that the installation has. */
  readonly repositories: readonly string[] | null;
  /** Null: those of the app. */
  readonly permissions: Readonly<Record<string, string>> | null;
};

export type FakeApp = {
  readonly id: string;
  readonly slug: string;
  readonly publicKey: KeyObject;
  /** Installations by the owners that have one. */
  readonly installations: Map<string, number>;
  /** Those that their owner has suspended. */
  readonly suspended: Set<number>;
  /** What it may be given tokens for. */
  permissions: Readonly<Record<string, string>>;
  /** Milliseconds that an installation's token lives; GitHub's own is an hour. */
  tokenMilliseconds: number;
};

const LONGEST_SECONDS = 600;
const SKEW_SECONDS = 60;

/** Tokens and keys that the fake knows. */
export function createLogins(tokens: ReadonlyMap<string, string>, app: FakeApp | null) {
  const made = new Map<string, FakeReach & { readonly id: number; readonly endsAt: number }>();
  let count = 0;
  return {
    /** A token for an installation, as GitHub makes it. */
    make: (id: number, reach: FakeReach): { token: string; expires_at: string } => {
      const token = `ghs_${String(count++).padStart(4, '0')}${'x'.repeat(32)}`;
      const endsAt = Date.now() + (app?.tokenMilliseconds ?? 0);
      made.set(token, { ...reach, id, endsAt });
      return { token, expires_at: new Date(endsAt).toISOString().replace(/\.\d+Z$/, 'Z') };
    },
    /** No token of an installation is good any more. */
    withdraw: (): void => made.clear(),
    /** GitHub's words for why nobody is let in. */
    of: (authorization: string | undefined): FakeLogin | string => {
      const token = /^(?:Bearer|token) (.+)$/.exec(authorization ?? '')?.[1];
      if (token === undefined) return 'Requires authentication';
      const login = tokens.get(token);
      if (login !== undefined) return { kind: 'token', login };
      const installation = made.get(token);
      if (installation !== undefined && app !== null && installation.endsAt > Date.now()) {
        const { id, repositories, permissions } = installation;
        return { kind: 'installation', appId: app.id, login: `${app.slug}[bot]`, id, repositories, permissions };
      }
      if (app === null || token.split('.').length !== 3) return 'Bad credentials';
      return ofJwt(token, app);
    },
  };
}

function ofJwt(jwt: string, app: FakeApp): FakeLogin | string {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const decoded = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  if (decoded(header)['alg'] !== 'RS256') return 'A JSON web token could not be decoded';
  const isSigned = createVerify('RSA-SHA256')
    .update(`${header}.${payload}`)
    .verify(app.publicKey, signature, 'base64url');
  if (!isSigned) return 'A JSON web token could not be decoded';
  const { iss, iat, exp } = decoded(payload);
  const now = Date.now() / 1_000;
  if (String(iss) !== app.id) return "'Issuer' claim ('iss') must be an Integer or the client ID";
  if (typeof exp !== 'number' || exp < now) return "'Expiration time' claim ('exp') is too far in the past";
  if (exp > now + LONGEST_SECONDS) return "'Expiration time' claim ('exp') is too far in the future";
  if (typeof iat !== 'number' || iat > now + SKEW_SECONDS)
    return "'Issued at' claim ('iat') must be an Integer representing a time in the past";
  return { kind: 'app', appId: app.id };
}
