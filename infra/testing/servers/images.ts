import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

type Service = { readonly image: string; readonly environment: Readonly<Record<string, string>> };

const file = join(import.meta.dirname, '..', '..', '..', 'docker-compose.yml');

/** Image and environment of a server, as the compose file has them. */
export function serverOf(name: 'eventstoredb' | 'kafka' | 'postgresql'): Service {
  const { services } = parse(readFileSync(file, 'utf8'), { merge: true }) as { services: Record<string, Service> };
  const service = services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}
