import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRecordingBus, type RecordingBus } from './testing/recording-bus.ts';
import { openRelayTest, type RelayTest } from './testing/relay-test.ts';

let test: RelayTest;
let bus: RecordingBus;

beforeEach(async () => {
  test = await openRelayTest();
  bus = createRecordingBus();
});

afterEach(() => test.close());

describe('a relay', () => {
  it('carries what is in the log and what comes, every stream in order, nothing twice', async () => {
    const before = await test.fill({ streams: 20, events: 130 });
    test.startRelay(bus);
    await untilTrue(() => bus.events().length >= before.length);
    const live = await test.fill({ streams: 5, events: 7 });
    await untilTrue(() => bus.events().length >= before.length + live.length);
    expect(bus.events()).toEqual(await test.logged());
    expect(bus.batches.every((batch) => batch.length <= 1_000)).toBe(true);
    await untilTrue(async () => (await test.leader()).checkpoint === (await test.log.head()));
  });

  it('leaves out streams without a context, and passes them', async () => {
    await test.fill({ streams: 1, events: 3, type: 'unheard-of' });
    const known = await test.fill({ streams: 1, events: 2 });
    await test.fill({ streams: 1, events: 3, type: 'unheard-of' });
    test.startRelay(bus);
    await untilTrue(async () => (await test.leader()).checkpoint === (await test.log.head()));
    expect(bus.events().map(({ id }) => id)).toEqual(known);
  });

  it('goes on from the checkpoint after a restart', async () => {
    await test.fill({ streams: 3, events: 10 });
    const first = test.startRelay(bus);
    await untilTrue(async () => (await test.leader()).checkpoint === 30n);
    await first.stop();
    const next = createRecordingBus();
    const later = await test.fill({ streams: 1, events: 4 });
    test.startRelay(next);
    await untilTrue(() => next.events().length >= 4);
    expect(next.events().map(({ id }) => id)).toEqual(later);
  });
});
