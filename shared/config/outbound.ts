import { z } from 'zod';
import { secretSource } from './secret-source.ts';

/** A host as a call's address has it, with its port. */
export const hostAndPort = z
  .string()
  .regex(
    /^([A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]):[1-9]\d{0,4}$/,
    'name:port, address:port or [address]:port, with no scheme and no path',
  );

/** Whom components may call. */
export const outboundSchema = z
  .strictObject({
    allowHosts: z
      .array(hostAndPort)
      .max(100)
      .default([])
      .describe('host:port that components may call, beside the systems that are configured by their address'),
    privateHosts: z
      .array(hostAndPort)
      .max(100)
      .default([])
      .describe('host:port that may be at an address of a private network, and may be called by http://'),
  })
  .prefault({});

const app = z.strictObject({
  id: z
    .union([z.int().positive(), z.string().regex(/^[\w.-]{1,100}$/)])
    .describe('its App ID or its client ID, as its settings show them'),
  key: secretSource.describe('its private key, PEM, as GitHub hands it out'),
});

/** Where GitHub keeps logs of jobs: https://docs.github.com/actions/reference/runners/self-hosted-runners#accessible-domains-by-function */
const LOG_HOSTS = ['productionresultssa*.blob.core.windows.net', '*.actions.githubusercontent.com'];

/** How Workledger speaks to GitHub: by a token, or as a GitHub App that is installed where the repositories are. */
export const githubSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .default('https://api.github.com')
      .describe('of its API; GitHub Enterprise Server: https://<host>/api/v3'),
    token: secretSource.nullable().default(null).describe('a personal access token; null: an app is used'),
    app: app.nullable().default(null).describe('a GitHub App; null: a token is used'),
    catchUp: z
      .strictObject({
        everySeconds: z.number().min(1).max(86_400).default(300).describe('between two looks'),
        quotaShare: z
          .number()
          .min(0)
          .max(1)
          .default(0.2)
          .describe('of the quota that is left alone: with less of it left, nothing is looked for'),
        redeliveries: z
          .int()
          .min(0)
          .max(10)
          .default(3)
          .describe('tries to have GitHub send a delivery that failed again'),
        pages: z.int().min(1).max(30).default(10).describe('of a hundred each that one look reads of a list at most'),
      })
      .nullable()
      .prefault({})
      .describe('how deliveries that never came are found; null: they are not looked for'),
    logHosts: z
      .array(
        z
          .string()
          .max(300)
          .regex(
            /^[A-Za-z0-9*]([A-Za-z0-9.*-]*[A-Za-z0-9*])?(:[1-9]\d{0,4})?$/,
            'name or name:port; * stands for any part of one label',
          ),
      )
      .max(50)
      .default(LOG_HOSTS)
      .describe(
        'to which GitHub may send us for the log of a job, without our login; GitHub Enterprise Server: its own, or its blob storage',
      ),
  })
  .nullable()
  .default(null);

type Outbound = {
  readonly outbound: z.infer<typeof outboundSchema>;
  readonly github: z.infer<typeof githubSchema>;
};

/** `host:port` of an address, also where the port is the scheme's own. */
export const hostOf = ({ protocol, hostname, port }: URL): string =>
  `${hostname.toLowerCase()}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;

/** Where people, and git, use the GitHub whose API is at this address. */
export function webAddressOf(api: string): string {
  const url = new URL(api);
  if (url.hostname === 'api.github.com') return 'https://github.com';
  // With data residency: https://api.<name>.ghe.com
  if (/^api\..+\.ghe\.com$/.test(url.hostname)) return `https://${url.hostname.slice('api.'.length)}`;
  return url.href.replace(/\/(api\/v3\/?)?$/, '');
}

/** What the schema cannot say of it. One line a fault. */
export function outboundFaults({ outbound, github }: Outbound): string[] {
  if (github === null) return [];
  return [
    ...((github.token === null) === (github.app === null)
      ? [`github: ${github.token === null ? 'neither token nor app' : 'token and app'} → give one of them`]
      : []),
    ...addressFaults('github.url', github.url, outbound),
  ];
}

/** What is wrong with the address of a system that gets a token. @param place how faults name it */
export function addressFaults(place: string, address: string, outbound: Outbound['outbound']): string[] {
  const url = new URL(address);
  const isPrivate = outbound.privateHosts.some((host) => host.toLowerCase() === hostOf(url));
  return [
    ...(url.protocol === 'https:' || isPrivate
      ? []
      : [
          `${place}: "${url.origin}" would get the token without TLS → use https, or name "${hostOf(url)}" in outbound.privateHosts where the way there is closed`,
        ]),
    ...(url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== ''
      ? [
          `${place}: more than an address → leave out user, password, ? and #; the secret belongs to ${place === 'github.url' ? 'token or app' : 'token'}`,
        ]
      : []),
  ];
}
