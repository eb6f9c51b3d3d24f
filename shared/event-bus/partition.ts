import { PARTITIONS } from './port.ts';

/** A stream's partition, as Kafka's default partitioner computes it from the key. */
export const partitionOf = (stream: string): number => (murmur2(Buffer.from(stream)) & 0x7fffffff) % PARTITIONS;

/**
 * MurmurHash2 with Kafka's seed, as a signed 32-bit number.
 * Source: `org.apache.kafka.common.utils.Utils.murmur2`
 */
export function murmur2(bytes: Buffer): number {
  const multiplier = 0x5bd1e995;
  const whole = bytes.length & ~3;
  let hash = 0x9747b28c ^ bytes.length;
  for (let index = 0; index < whole; index += 4) {
    let word = Math.imul(bytes.readInt32LE(index), multiplier);
    word = Math.imul(word ^ (word >>> 24), multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  if (bytes.length > whole) {
    for (let index = bytes.length - 1; index >= whole; index--) hash ^= bytes.readUInt8(index) << ((index - whole) * 8);
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
