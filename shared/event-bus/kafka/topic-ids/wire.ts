/** Writes and reads the few types of Kafka's protocol that the question for topic ids needs. */

/** A whole number in as many bytes as it needs. */
export function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

/** With its length plus one before it: 0 is null. */
export const compactText = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([uvarint(bytes.length + 1), bytes]);
};

/** Reads one value after the other. @throws RangeError where the bytes end too early */
export type Reader = {
  int16(): number;
  int32(): number;
  bytes(count: number): Buffer;
  compactText(): string | null;
  /** Calls `read` for each element. */
  compactArray<Element>(read: () => Element): Element[];
  /** Fields that newer brokers may add. */
  skipTags(): void;
};

export function createReader(buffer: Buffer): Reader {
  let at = 0;
  const take = (count: number): Buffer => {
    if (at + count > buffer.length) throw new RangeError('the answer of Kafka ends too early');
    return buffer.subarray(at, (at += count));
  };
  const varint = (): number => {
    for (let value = 0, factor = 1; ; factor *= 0x80) {
      const byte = take(1).readUInt8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  return {
    int16: () => take(2).readInt16BE(),
    int32: () => take(4).readInt32BE(),
    bytes: take,
    compactText: () => {
      const length = varint();
      return length === 0 ? null : take(length - 1).toString();
    },
    compactArray: (read) => Array.from({ length: Math.max(0, varint() - 1) }, read),
    skipTags: () => {
      for (let left = varint(); left > 0; left--) {
        varint();
        take(varint());
      }
    },
  };
}
