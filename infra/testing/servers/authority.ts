import { isIP } from 'node:net';
import { generate } from 'selfsigned';

type Certificate = {
  /** PEM, as is its key. */
  readonly certificate: string;
  readonly key: string;
};

export type Authority = {
  /** PEM: what clients trust. */
  readonly certificate: string;
  /** A server's certificate for these names and addresses. */
  issue(...names: readonly string[]): Promise<Certificate>;
};

/** A certificate authority of the test's own. */
export async function createAuthority(): Promise<Authority> {
  const common = { keyType: 'ec', algorithm: 'sha256' } as const;
  const ca = await generate([{ name: 'commonName', value: 'Authority of a test' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    certificate: ca.cert,
    issue: async (...names) => {
      const altNames = names.map((name) =>
        isIP(name) === 0 ? ({ type: 2, value: name } as const) : ({ type: 7, ip: name } as const),
      );
      const issued = await generate([{ name: 'commonName', value: 'Server of a test' }], {
        ...common,
        ca: { key: ca.private, cert: ca.cert },
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'extKeyUsage', serverAuth: true },
          { name: 'subjectAltName', altNames },
        ],
      });
      return { certificate: issued.cert, key: issued.private };
    },
  };
}
