export type CappedOutput = {
  write(chunk: Buffer): void;
  /** Bytes that are neither in the head nor in the tail. */
  dropped(): number;
  /** Head and tail, with one line between them that tells how much is missing. */
  bytes(): Buffer;
};

/** Keeps the first and the last half of `limit` bytes of a stream; memory stays below twice that, whatever is written. */
export function createCappedOutput(limit: number): CappedOutput {
  const headLimit = Math.ceil(limit / 2);
  const tailLimit = limit - headLimit;
  let head = Buffer.alloc(0);
  let headSize = 0;
  let tail: Buffer | null = null;
  let tailWritten = 0;

  const writeHead = (chunk: Buffer): Buffer => {
    const part = chunk.subarray(0, headLimit - headSize);
    if (headSize + part.length > head.length) {
      const grown = Buffer.allocUnsafe(Math.min(headLimit, Math.max(4_096, 2 * (headSize + part.length))));
      head.copy(grown, 0, 0, headSize);
      head = grown;
    }
    part.copy(head, headSize);
    headSize += part.length;
    return chunk.subarray(part.length);
  };

  const writeTail = (chunk: Buffer): void => {
    if (tailLimit === 0) {
      tailWritten += chunk.length;
      return;
    }
    tail ??= Buffer.allocUnsafe(tailLimit);
    const part = chunk.subarray(Math.max(0, chunk.length - tailLimit));
    const at = (tailWritten + chunk.length - part.length) % tailLimit;
    const first = part.copy(tail, at);
    part.copy(tail, 0, first);
    tailWritten += chunk.length;
  };

  const dropped = (): number => Math.max(0, tailWritten - tailLimit);

  return {
    write(chunk) {
      const rest = headSize < headLimit ? writeHead(chunk) : chunk;
      if (rest.length > 0) writeTail(rest);
    },
    dropped,
    bytes() {
      const start = head.subarray(0, headSize);
      if (tail === null && dropped() === 0) return Buffer.from(start);
      const end = orderedTail(tail ?? Buffer.alloc(0), tailWritten, tailLimit);
      if (dropped() === 0) return Buffer.concat([start, end]);
      return Buffer.concat([start, Buffer.from(`\n[… ${dropped()} bytes dropped …]\n`), end]);
    },
  };
}

function orderedTail(ring: Buffer, written: number, limit: number): Buffer {
  if (written <= limit) return ring.subarray(0, written);
  const at = written % limit || 0;
  return Buffer.concat([ring.subarray(at), ring.subarray(0, at)]);
}
