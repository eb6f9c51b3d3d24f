import { expect, it } from 'vitest';
import { murmur2, partitionOf } from './partition.ts';
import { PARTITIONS } from './port.ts';

// From the tests of Kafka's own clients.
it.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('hashes %s as Kafka does', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});

it('gives every stream one of the partitions, also where the hash is negative', () => {
  expect(partitionOf('foobar')).toBe((-790332482 & 0x7fffffff) % PARTITIONS);
  expect(partitionOf('abc')).toBe(479470107 % PARTITIONS);
});
