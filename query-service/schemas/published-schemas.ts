import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A schema as it is served: the bytes of its file. */
export type PublishedFile = { readonly bytes: Uint8Array; readonly etag: string };

/**
 * The published schemas by their path without `.json`: `cloud-event`, `task/TaskCreated.v1`. The files are what counts, not the
 * catalogue of today: older versions are in files only.
 * @throws Error when the files are not there: the installation is not whole
 */
export function readPublishedSchemas(): ReadonlyMap<string, PublishedFile> {
  const folder = dirname(
    createRequire(import.meta.url).resolve('@workledger/shared/events/published/schemas/cloud-event.json'),
  );
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return new Map(files.toSorted().map((file) => [file.slice(0, -'.json'.length), published(join(folder, file))]));
}

function published(path: string): PublishedFile {
  const bytes = readFileSync(path);
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
}
