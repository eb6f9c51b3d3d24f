import type { ArtefactReference } from '../contexts/values.ts';

/** Content-addressed store for what is too large for an event: bodies, prompts, transcripts, diffs, reports. */
export type Artefacts = {
  /** Stores bytes under their SHA-256; the same bytes again are stored once. @throws RangeError over the size limit. */
  put(bytes: Uint8Array, mediaType: string): Promise<ArtefactReference>;
  /** The bytes and their media type; null when there are none under this digest. */
  get(digest: string): Promise<{ bytes: Uint8Array; mediaType: string } | null>;
};

/** Bytes of one artefact. */
export const MAX_ARTEFACT_BYTES = 100_000_000;
export const MAX_MEDIA_TYPE_LENGTH = 255;

/** What is stored under a digest is not what was put there. Restore it from a backup. */
export class ArtefactDamaged extends Error {
  override name = 'ArtefactDamaged';
  constructor(digest: string) {
    super(`artefact ${digest}: the stored bytes have another digest: restore it from a backup`);
  }
}
