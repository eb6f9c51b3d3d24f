import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ArtefactStore, CHUNK_BYTES, MAX_ARTEFACT_BYTES } from './port.ts';

/** What every adapter of the artefact store does. */
export function artefactsContract(name: string, artefacts: () => ArtefactStore): void {
  describe(`artefacts: ${name}`, () => {
    it('gives back the bytes and the media type under their SHA-256', async () => {
      const bytes = randomBytes(1000);
      const reference = await artefacts().put(bytes, 'application/octet-stream');
      const digest = createHash('sha256').update(bytes).digest('hex');
      expect(reference).toEqual({ digest, size: 1000, mediaType: 'application/octet-stream' });
      const found = await artefacts().get(digest);
      expect(found?.mediaType).toBe('application/octet-stream');
      expect(Buffer.from(found?.bytes ?? []).equals(bytes)).toBe(true);
    });

    it('stores an empty body', async () => {
      const { digest, size } = await artefacts().put(new Uint8Array(), 'text/plain');
      expect(size).toBe(0);
      expect((await artefacts().get(digest))?.bytes.byteLength).toBe(0);
    });

    it('stores just the part that a view shows', async () => {
      const whole = randomBytes(100);
      const { digest } = await artefacts().put(whole.subarray(10, 20), 'text/plain');
      expect(digest).toBe(createHash('sha256').update(whole.subarray(10, 20)).digest('hex'));
      expect((await artefacts().get(digest))?.bytes.byteLength).toBe(10);
    });

    it('takes the same bytes from several callers at once', async () => {
      const bytes = randomBytes(10_000);
      const references = await Promise.all(Array.from({ length: 10 }, () => artefacts().put(bytes, 'text/plain')));
      expect(new Set(references.map(({ digest }) => digest)).size).toBe(1);
    });

    it('answers null for what is not there and for what is no digest', async () => {
      expect(await artefacts().get('0'.repeat(64))).toBeNull();
      expect(await artefacts().get("' or 1=1 --")).toBeNull();
      expect(await artefacts().get('\0')).toBeNull();
    });

    it('tells size and media type without the bytes', async () => {
      const { digest } = await artefacts().put(randomBytes(1_234), 'text/x-diff');
      expect(await artefacts().head(digest)).toEqual({ size: 1_234, mediaType: 'text/x-diff' });
      expect(await artefacts().head('0'.repeat(64))).toBeNull();
      expect(await artefacts().head('\0')).toBeNull();
    });

    it.each([0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7])('streams %d bytes in chunks', async (size) => {
      const bytes = randomBytes(size);
      const { digest } = await artefacts().put(bytes, 'application/octet-stream');
      const chunks: Uint8Array[] = [];
      for await (const chunk of artefacts().stream(digest)) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
      expect(chunks.every(({ byteLength }) => byteLength <= CHUNK_BYTES)).toBe(true);
    });

    it.each(['0'.repeat(64), '\0'])('has nothing to stream under %j', async (digest) => {
      const chunks = artefacts().stream(digest)[Symbol.asyncIterator]();
      await expect(chunks.next()).rejects.toThrow('there are no bytes');
    });

    it('refuses more than 100 MB, with both sizes in the message', async () => {
      const put = artefacts().put(Buffer.alloc(MAX_ARTEFACT_BYTES + 1), 'text/plain');
      await expect(put).rejects.toThrow(/100000001 bytes: at most 100000000/);
      await expect(put).rejects.toBeInstanceOf(RangeError);
    });

    it('refuses a media type that is empty or too long', async () => {
      await expect(artefacts().put(new Uint8Array(), '')).rejects.toBeInstanceOf(RangeError);
      await expect(artefacts().put(new Uint8Array(), 'x'.repeat(256))).rejects.toBeInstanceOf(RangeError);
    });
  });
}
