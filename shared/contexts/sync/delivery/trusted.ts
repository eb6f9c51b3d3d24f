import type { ProviderName } from './events.ts';

/** Names are compared without regard to case, as GitHub does. */
export const same = (left: string | null | undefined, right: string | null | undefined): boolean =>
  left !== null && left !== undefined && left.toLowerCase() === right?.toLowerCase();

/**
 * Whether somebody may ask a repository for work, and say what becomes of it. A name at one provider is nobody's name at another.
 * @param trusted as it is registered: logins of GitHub, else `<provider>:<name>`
 * @param sender as the provider names them; null: it does not
 */
export const isTrusted = (provider: ProviderName, trusted: readonly string[], sender: string | null): boolean =>
  sender !== null &&
  trusted.some((each) => same(each.includes(':') ? each : `github:${each}`, `${provider}:${sender}`));
