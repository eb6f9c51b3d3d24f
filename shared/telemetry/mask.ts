const HIDDEN = '[hidden]';

/** Names of fields whose value never belongs into a log line or a message. */
const SECRET_NAME = /authorization|cookie|signature|secret|token|passw|credential|private|api-?_?key|^key$|^keys$/i;

/** With its MAC, or as they were before; and the MAC keys themselves. */
const API_KEY = /\bwl(?:_[0-9a-f]{32}|mac)_[A-Za-z0-9_-]{20,}/g;
const BEARER = /\b(bearer|basic)\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{12,}/gi;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"']{0,256}):[^\s/@"']{1,256}@/gi;
const URL_USER_ONLY = /(\bhttps?:\/\/)[^\s:/@"']{16,256}@/gi;
const KNOWN_TOKENS = /\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|sk-[A-Za-z0-9_-]{20,}|xox[abprs]-[\w-]{10,})/g;
const WEBHOOK_SECRET = /\bwhsec_[A-Za-z0-9+/=]{20,}/g;
const SIGNATURE = /\bsha256=[0-9a-f]{64}\b/g;

/** What each of the patterns needs to match: most texts have none of it, and are done with one look. */
const SUSPICIOUS = /wl_|wlmac_|bearer|basic|:\/\/|gh[pousr]_|github_pat_|sk-|xox|sha256=|whsec_/i;

/** Hides what looks like a secret in a text: API keys, bearer tokens, passwords in URLs, tokens of well-known forms. */
export const maskText = (text: string): string => (SUSPICIOUS.test(text) ? maskSuspicious(text) : text);

const maskSuspicious = (text: string): string =>
  text
    .replace(API_KEY, (key) => `${key.slice(0, key.startsWith('wl_') ? 11 : 6)}…${HIDDEN}`)
    .replace(BEARER, `$1 ${HIDDEN}`)
    .replace(URL_PASSWORD, `$1:${HIDDEN}@`)
    .replace(URL_USER_ONLY, `$1${HIDDEN}@`)
    .replace(KNOWN_TOKENS, HIDDEN)
    .replace(WEBHOOK_SECRET, HIDDEN)
    .replace(SIGNATURE, `sha256=${HIDDEN}`);

export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** What stands in the place of a secret. */
export const hidden = HIDDEN;
