import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { definitionOf, streamTypes } from '../catalogue.ts';
import { upcast } from '../codec.ts';
import type { RecordedEvent } from '../recorded-event.ts';

const files = (await readdir(import.meta.dirname, { recursive: true })).filter((file) => file.endsWith('.json')).sort();

const metadata = { correlationId: 'c', causationId: null, commandId: newId(), commandHash: '', actor: 'system' };

/** The event of a kept example, as the log gives it. */
async function recorded(file: string): Promise<RecordedEvent> {
  const [, streamType = '', type = '', version = ''] = /^(.+)\/(\w+)\.v(\d+)\.json$/.exec(file) ?? [];
  return {
    ...{
      id: newId(),
      type,
      version: Number(version),
      stream: streamName(streamType, newId()),
      revision: 0,
      position: 1n,
    },
    recordedAt: new Date(0),
    data: JSON.parse(await readFile(join(import.meta.dirname, file), 'utf8')) as unknown,
    metadata: { ...metadata, traceparent: null },
  };
}

describe('what was ever written', () => {
  it('is kept as an example of every version that an event ever had', () => {
    const wanted = streamTypes.flatMap(({ type: streamType, events }) =>
      Object.entries(events).flatMap(([type, { version }]) =>
        Array.from({ length: version }, (_, before) => `${streamType}/${type}.v${before + 1}.json`),
      ),
    );
    expect(files, 'run: npm run keep:examples').toEqual(wanted.toSorted());
  });

  it.each(files)('is read today: %s', async (file) => {
    const { stream, type, version, data } = upcast(await recorded(file));
    const definition = definitionOf(stream, type);
    expect(version).toBe(definition.version);
    expect(definition.schema.parse(data)).toEqual(data);
  });
});
