import { createHash } from 'node:crypto';
import type pg from 'pg';
import { ArtefactDamaged, type Artefacts, MAX_ARTEFACT_BYTES, MAX_MEDIA_TYPE_LENGTH } from '../port.ts';

const insert = 'insert into artefacts.artefacts (digest, media_type, bytes) values ($1, $2, $3) on conflict do nothing';
const select = 'select media_type, bytes from artefacts.artefacts where digest = $1';

/** Artefacts as rows of `artefacts.artefacts`; bring the tables up to date with `artefactMigrations` first. */
export function createPostgresArtefacts(pool: pg.Pool): Artefacts {
  return {
    put: async (bytes, mediaType) => {
      if (bytes.byteLength > MAX_ARTEFACT_BYTES)
        throw new RangeError(
          `artefact of ${bytes.byteLength} bytes: at most ${MAX_ARTEFACT_BYTES}: cut it or split it`,
        );
      if (mediaType === '' || mediaType.length > MAX_MEDIA_TYPE_LENGTH || mediaType.includes('\0'))
        throw new RangeError(`artefact's media type: use 1 to ${MAX_MEDIA_TYPE_LENGTH} characters without U+0000`);
      const digest = sha256(bytes);
      await pool.query(insert, [digest, mediaType, view(bytes)]);
      return { digest, size: bytes.byteLength, mediaType };
    },
    get: async (digest) => {
      if (!/^[0-9a-f]{64}$/.test(digest)) return null;
      const { rows } = await pool.query<{ media_type: string; bytes: Buffer }>(select, [digest]);
      const row = rows[0];
      if (row === undefined) return null;
      if (sha256(row.bytes) !== digest) throw new ArtefactDamaged(digest);
      return { bytes: row.bytes, mediaType: row.media_type };
    },
  };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The same bytes as a Buffer, which pg sends as they are. */
const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
