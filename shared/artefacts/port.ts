import type { ArtefactReference } from '../contexts/values.ts';

/** Content-addressed store for what is too large for an event: bodies, prompts, transcripts, diffs, reports. */
export type Artefacts = {
  /** Stores bytes under their SHA-256; the same bytes again are stored once. @throws RangeError over the size limit. */
  put(bytes: Uint8Array, mediaType: string): Promise<ArtefactReference>;
  /** The bytes and their media type; null when there are none under this digest. */
  get(digest: string): Promise<{ bytes: Uint8Array; mediaType: string } | null>;
};

/** The whole store: what is large can be looked at without its bytes, and read without holding all of them. */
export type ArtefactStore = Artefacts & {
  /** Size in bytes and media type, without reading the bytes; null when there are none under this digest. */
  head(digest: string): Promise<{ readonly size: number; readonly mediaType: string } | null>;
  /**
   * The bytes in order, at most `CHUNK_BYTES` at a time, no further than they are asked for.
   * @throws ArtefactDamaged in place of the last chunk when they have another digest; Error when there are none
   */
  stream(digest: string): AsyncIterable<Uint8Array>;
};

/** Bytes of one chunk of a stream. */
export const CHUNK_BYTES = 256 * 1024;
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
