import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { sbomOf, type Lock } from './judge.ts';

/** Writes the SBOM (CycloneDX) of what runs in production. Exit code 1: there is nothing in it. */
const FILE = 'build/sbom.cdx.json';

const sbom = sbomOf(JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock);
mkdirSync('build', { recursive: true });
writeFileSync(FILE, `${JSON.stringify(sbom, null, 2)}\n`);
process.stdout.write(`${FILE}: CycloneDX ${sbom.specVersion}, ${sbom.components.length} components\n`);
process.exitCode = sbom.components.length === 0 ? 1 : 0;
