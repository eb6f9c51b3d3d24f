import { createHash } from 'node:crypto';
import type pg from 'pg';
import {
  ArtefactDamaged,
  type ArtefactStore,
  CHUNK_BYTES,
  MAX_ARTEFACT_BYTES,
  MAX_MEDIA_TYPE_LENGTH,
} from '../port.ts';

const insert = 'insert into artefacts.artefacts (digest, media_type, bytes) values ($1, $2, $3) on conflict do nothing';
const select = 'select media_type, bytes from artefacts.artefacts where digest = $1';
const selectHead = 'select media_type, octet_length(bytes) as size from artefacts.artefacts where digest = $1';
const selectChunk =
  'select octet_length(bytes) as size, substring(bytes from $2 for $3) as chunk from artefacts.artefacts where digest = $1';

/** Artefacts as rows of `artefacts.artefacts`; bring the tables up to date with `artefactMigrations` first. */
export function createPostgresArtefacts(pool: Pick<pg.Pool, 'query'>): ArtefactStore {
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
      if (!isDigest(digest)) return null;
      const { rows } = await pool.query<{ media_type: string; bytes: Buffer }>(select, [digest]);
      const row = rows[0];
      if (row === undefined) return null;
      if (sha256(row.bytes) !== digest) throw new ArtefactDamaged(digest);
      return { bytes: row.bytes, mediaType: row.media_type };
    },
    head: async (digest) => {
      if (!isDigest(digest)) return null;
      const { rows } = await pool.query<{ media_type: string; size: number }>(selectHead, [digest]);
      return rows[0] === undefined ? null : { size: rows[0].size, mediaType: rows[0].media_type };
    },
    stream: (digest) => streamChunks(pool, digest),
  };
}

/** What was written under a digest never changes: the chunks need no snapshot. */
async function* streamChunks(pool: Pick<pg.Pool, 'query'>, digest: string): AsyncGenerator<Uint8Array> {
  if (!isDigest(digest)) throw new Error(`artefact ${JSON.stringify(digest)}: there are no bytes`);
  const hash = createHash('sha256');
  for (let read = 0, left = Infinity; left > 0;) {
    const values = [digest, read + 1, CHUNK_BYTES];
    const { rows } = await pool.query<{ size: number; chunk: Buffer }>(selectChunk, values);
    const row = rows[0];
    if (row === undefined) throw new Error(`artefact ${digest}: there are no bytes`);
    read += row.chunk.byteLength;
    left = row.chunk.byteLength === 0 ? 0 : row.size - read;
    hash.update(row.chunk);
    if (left <= 0 && hash.digest('hex') !== digest) throw new ArtefactDamaged(digest);
    yield row.chunk;
  }
}

const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The same bytes as a Buffer, which pg sends as they are. */
const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
