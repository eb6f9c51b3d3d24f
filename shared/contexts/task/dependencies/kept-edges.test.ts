import { expect, it, vi } from 'vitest';
import { newId } from '../../stream.ts';
import type { DependenciesEvent } from './events.ts';
import { dependenciesFold, waitsFor, type Edges } from './state.ts';

const { evolve, initial, snapshot } = dependenciesFold;
const added = (taskId: string, dependsOn: string): DependenciesEvent => ({
  type: 'DependencyAdded',
  data: { taskId, dependsOn },
});
const written = (edges: Edges): string => JSON.stringify(snapshot?.write(edges));
const read = (text: string): Edges => snapshot?.read(JSON.parse(text)) ?? initial;

const ids = Array.from({ length: 300 }, () => newId());
const events = ids.flatMap((id, index) => ids.slice(index + 1, index + 4).map((other) => added(id, other)));
const edges = events.reduce(evolve, initial);

it('edges that were kept are the same edges, and change like them', () => {
  const kept = read(written(edges));
  for (const id of ids) expect(waitsFor(kept, id)).toEqual(waitsFor(edges, id));
  const [one = '', other = ''] = [newId(), newId()];
  const more = evolve(kept, added(one, other));
  expect(waitsFor(more, one)).toEqual([other]);
  const removed = evolve(more, { type: 'DependencyRemoved', data: { taskId: ids[0] ?? '', dependsOn: ids[1] ?? '' } });
  expect(waitsFor(removed, ids[0] ?? '')).toEqual(ids.slice(2, 4));
  expect(written(read(written(removed)))).toBe(written(removed));
});

it('an id in another form keeps it', () => {
  const [one, other] = [newId().toUpperCase(), newId()];
  const kept = read(written(evolve(initial, added(one, other))));
  expect(waitsFor(kept, one)).toEqual([other]);
});

it('an edge takes 43 characters, and only the bucket that is asked for is read', () => {
  const text = written(edges);
  expect(text.length).toBeLessThan(events.length * 43 + 2 * 1_024 * 8);
  const decode = vi.spyOn(Buffer, 'from');
  try {
    const kept = read(text);
    const [asked = ''] = ids;
    waitsFor(kept, asked);
    waitsFor(kept, asked);
    expect(decode.mock.calls.length).toBe(1);
    // Unread buckets are written as they came.
    expect(written(kept)).toBe(text);
    expect(decode.mock.calls.length).toBe(1);
  } finally {
    decode.mockRestore();
  }
});
