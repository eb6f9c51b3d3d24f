import { expect, it } from 'vitest';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import { fromStoredMetadata, toStoredMetadata } from './recorded-event.ts';

it('gives back version and metadata as they were', () => {
  for (const metadata of [anyEvent().metadata, {}]) {
    const stored: unknown = JSON.parse(toStoredMetadata(3, JSON.stringify(metadata)));
    expect(fromStoredMetadata(stored)).toEqual({ version: 3, metadata });
  }
});

it.each([undefined, null, 'text', [], {}, { schemaVersion: '1' }, { schemaVersion: 1.5 }, new Uint8Array(3)])(
  'knows metadata that is none of ours: %j',
  (stored) => {
    expect(fromStoredMetadata(stored)).toBeNull();
  },
);
