import { hidden, maskText } from '@workledger/shared/telemetry/mask.ts';

/** Tokens of well-known forms, as scanners for secrets know them (gitleaks' rules, those that name their secret by its form). */
const FORMS = [
  /\b(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}\b/g,
  /\bAIza[\w-]{35}/g,
  /\bya29\.[\w-]{20,}/g,
  /\bglpat-[\w-]{20,}/g,
  /\bgl(?:dt|ft|rt|soat|ptt|agent|cbt|imt|oas)-[\w-]{20,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_\w{20,}/g,
  /\bxox[abeoprs]-[\w-]{10,}/g,
  /\bxapp-\d-[\w-]{10,}/g,
  /\bhooks\.slack\.com\/(?:services|workflows|triggers)\/[\w/+-]{20,}/g,
  /\b[rs]k_(?:test|live|prod)_[A-Za-z0-9]{10,}/g,
  /\bsk-[\w-]{20,}/g,
  /\bnpm_[A-Za-z0-9]{30,}/g,
  /\bpypi-[\w-]{40,}/g,
  /\bSG\.[\w-]{16,}\.[\w-]{16,}/g,
  /\bkey-[0-9a-f]{32}\b/g,
  /\bdop_v1_[0-9a-f]{64}\b/g,
  /\bhvs\.[\w-]{24,}/g,
  /\blin_api_[A-Za-z0-9]{30,}/g,
  /\bdapi[0-9a-f]{32}\b/g,
  /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b/g,
  /\bEAAC[A-Za-z0-9]{40,}/g,
  /\bAGE-SECRET-KEY-1[0-9A-Z]{50,}/g,
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}(?:\.[\w-]*)?/g,
  /\b\d{8,10}:AA[\w-]{32,}/g,
];

const PRIVATE_KEY =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END [A-Z ]{0,40}-----)?/g;

/** `apiToken: 'value'`, `PASSWORD=value`, `"secret" => "value"`: a name that says what it is, and a value. */
const ASSIGNED =
  /(\b[\w.-]{0,40}(?:secret|token|passw(?:or)?d|passphrase|pwd|api_?-?key|access_?-?key|private_?-?key|auth|credential)[\w.-]{0,20}["'`]?[ \t]{0,4}(?:=>|:=|=|:)[ \t]{0,4}["'`]?)([^\s"'`,;)}\]]{8,512})/gi;
/** A value in quotes, whatever its name is. */
const QUOTED = /(["'`])([\w+/=-]{24,512})\1/g;

/** Bits for each character: what a person or a program calls something has less. */
const RANDOM = 3.4;
const RANDOM_QUOTED = 4.2;

/** What no secret is: a call, a path, a variable, a placeholder. */
const NO_VALUE =
  /^[<$%{([]|[([<>{}$]|^(?:process|env|os|config|self|this)\.|^[a-z]+(?:[A-Z][a-z]+)*$|^[\w-]+(?:\.[\w-]+)+$|^(?:\.{0,2}\/)/;

/**
 * A text without what looks like a secret: tokens of known forms, private keys, passwords in addresses, and what is assigned to such a name or
 * stands in quotes and is too random to be a word. Rather too much than too little: whoever works with the code sees it as it is.
 */
export const withoutSecrets = (text: string): string => {
  const masked = FORMS.reduce((now, form) => now.replace(form, hidden), maskText(text.replace(PRIVATE_KEY, hidden)));
  return masked
    .replace(ASSIGNED, (all, name: string, value: string) => (isSecret(value) ? `${name}${hidden}` : all))
    .replace(QUOTED, (all, quote: string, value: string) =>
      isMixed(value) && bitsOf(value) >= RANDOM_QUOTED ? `${quote}${hidden}${quote}` : all,
    );
};

const isSecret = (value: string): boolean =>
  !NO_VALUE.test(value) &&
  bitsOf(value) >= (/\d/.test(value) ? Math.min(RANDOM, Math.log2(value.length) - 0.5) : RANDOM);

const isMixed = (value: string): boolean => /\d/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value);

/** Shannon's entropy of its characters. */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Files that are there to hold secrets: no word of them is told. */
const SECRET_FILE =
  /(?:^|\/)(?:\.env(?:\.(?!example$|sample$|template$)[\w.-]+)?|\.npmrc|\.pypirc|\.netrc|\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)|credentials(?:\.\w+)?|secrets?\.(?:ya?ml|json|toml|env))$|\.(?:pem|key|p12|pfx|jks|keystore|kdbx|asc|ppk)$/i;

export const isSecretFile = (path: string): boolean => SECRET_FILE.test(path);
