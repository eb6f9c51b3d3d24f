import { LRUCache } from 'lru-cache';
import type { Message } from 'kafkajs';
import { encodeCloudEvent } from '../../events/published/cloud-event.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { partitionOf } from '../partition.ts';

export type PartitionedMessage = Message & { readonly partition: number; readonly value: Buffer; readonly key: Buffer };

/** One header, not one an attribute: headers cost more than half of the rate. */
const headers = { 'content-type': Buffer.from('application/cloudevents+json; charset=utf-8') };

const placeOf = new LRUCache<string, { key: Buffer; partition: number }>({
  max: 20_000,
  memoMethod: (stream) => ({ key: Buffer.from(stream), partition: partitionOf(stream) }),
});

/** The message of an event: a CloudEvent in structured mode, in the partition of its stream. */
export const messageOf = (event: RecordedEvent): PartitionedMessage => ({
  ...placeOf.memo(event.stream),
  value: encodeCloudEvent(event),
  headers,
});

/** Bytes that a message adds to a request, its share of the framing included. */
export const bytesOf = ({ key, value }: PartitionedMessage): number => key.length + value.length + 100;
