/** package-lock.json, as far as it is looked at: a package a folder. */
export type Lock = {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
type LockedPackage = {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
};

type Component = {
  readonly type: 'library';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly { readonly expression: string }[];
};

/**
 * The SBOM (CycloneDX 1.5) of what runs in production, by the lock: every package that is not of tools alone, in its version, with its
 * licence and its hash. npm's own leaves out what tools need as well (zod), and refuses trees with overrides.
 */
export function sbomOf({ packages }: Lock) {
  const components = new Map<string, Component>();
  for (const [folder, locked] of Object.entries(packages)) {
    const at = folder.lastIndexOf('node_modules/');
    if (at < 0 || locked.dev === true || locked.link === true || locked.version === undefined) continue;
    const name = locked.name ?? folder.slice(at + 'node_modules/'.length);
    const purl = `pkg:npm/${name.replace('@', '%40')}@${locked.version}`;
    const [algorithm = '', hash = ''] = (locked.integrity ?? '').split('-', 2);
    components.set(purl, {
      ...{ type: 'library', 'bom-ref': purl, name, version: locked.version, purl },
      ...(algorithm === 'sha512' && {
        hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }],
      }),
      ...(locked.license !== undefined && { licenses: [{ expression: locked.license }] }),
    });
  }
  const component = { type: 'application', name: 'workledger', version: packages['']?.version };
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component },
    components: [...components.values()],
  };
}

/** What an audit found: how many are high or critical, or null: the registry did not answer. @param told standard output of `npm audit --json` */
export function seriousIn(told: string): number | null {
  try {
    const { metadata } = JSON.parse(told) as { metadata?: { vulnerabilities?: { high?: number; critical?: number } } };
    const { high, critical } = metadata?.vulnerabilities ?? {};
    return typeof high === 'number' && typeof critical === 'number' ? high + critical : null;
  } catch {
    return null;
  }
}
