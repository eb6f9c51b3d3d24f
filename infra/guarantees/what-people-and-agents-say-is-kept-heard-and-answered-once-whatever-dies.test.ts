import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import { startSocialDay, type SocialDay } from './harness/social-day.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { isFullLength, killsOn, storageOf, tell } from '../testing/system/storm.ts';
import { until } from '../testing/processes/until.ts';

const BETWEEN_KILLS = isFullLength ? 150 : 60;
const PATIENCE_SECONDS = 120;

describe.each(engines)('what people and agents say to each other, $name', (engine) => {
  let system: RunningSystem;
  let day: SocialDay;
  let events: readonly EventJson[];

  beforeAll(async () => {
    system = await engine.start({}, { storage: storageOf(engine.name) });
    day = await startSocialDay(system.client);
    const more = async (count: number): Promise<void> => {
      const enough = day.said.length + count;
      await until('more to be said', () => day.said.length >= enough, PATIENCE_SECONDS);
    };
    for (const parts of killsOn(engine.name, system.parts, { embedded: 2 })) {
      await more(BETWEEN_KILLS);
      await system.kill9(...parts);
      await system.restart();
    }
    await more(BETWEEN_KILLS);
    await day.stop();
    const isHeard = (): boolean =>
      [...day.sent].every(([participant, ids]) => {
        const heard = new Set(day.heard.get(participant));
        return ids.every((id) => heard.has(id));
      });
    await until('everything to be heard', async () => isHeard() || pause(200), PATIENCE_SECONDS).catch(() => undefined);
    await day.hush();
    tell(`${day.said.length} said, ${day.asked.length} questions, ${day.unanswered()} asked again`);
    events = await system.client.log();
  });
  afterAll(() => system.dispose());

  it('nothing possible is refused, and nobody who listens must begin anew', () => {
    expect(day.refused).toEqual([]);
  });

  it('all that was accepted is in the log, where the answer said, once', () => {
    const words = new Map(events.map(({ stream, revision, data }) => [`${stream}@${revision}`, JSON.stringify(data)]));
    const lost = day.said.filter(({ at, mark }) => words.get(at)?.includes(mark) !== true);
    expect(lost).toEqual([]);
    const marks = new Set(day.said.map(({ mark }) => mark));
    const found = [...words.values()].flatMap((text) => [...text.matchAll(MARK)].map(([mark]) => mark));
    expect(found.filter((mark, index) => marks.has(mark) && found.indexOf(mark) !== index)).toEqual([]);
  });

  it('each message is in the inbox that it was sent to, once, and comes over the live channel', async () => {
    for (const { participant, key } of day.readers) {
      const wanted = day.sent.get(participant)!;
      const inbox = await inboxOf(key, wanted);
      expect(inbox.toSorted()).toEqual(wanted.toSorted());
      expect(wanted.filter((id) => !day.heard.get(participant)!.includes(id))).toEqual([]);
    }
  });

  it('nothing is told twice by the live channel, though its lines were cut', () => {
    for (const ids of day.heard.values()) expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('each question is answered once, by the answer that was accepted', async () => {
    expect(day.asked.length).toBeGreaterThan(0);
    for (const { id, accepted, refused } of day.asked) {
      expect([id, accepted.length, refused.length]).toEqual([id, 1, 1]);
      const token = tokenOf('question', id);
      const { body } = await system.client.expect2xx('GET', `/questions/${id}`, { token });
      expect(body).toMatchObject({ state: 'answered', choice: accepted[0] });
    }
  });

  it('knowledge is read as it was last written', async () => {
    for (const [id, title] of day.titles) {
      const { body } = await system.client.expect2xx('GET', `/knowledge/${id}`, { token: tokenOf('knowledge', id) });
      expect(body).toMatchObject({ id, title });
    }
  });

  /** Of the last event of its stream. */
  function tokenOf(type: string, id: string): string {
    const stream = `${type}-${id}`;
    return `${stream}@${Math.max(...events.flatMap((event) => (event.stream === stream ? [event.revision] : [])))}`;
  }

  /** Once all that is wanted is there: messages lie in many partitions, and no token names them all. */
  async function inboxOf(key: string, wanted: readonly string[]): Promise<readonly string[]> {
    let ids: string[] = [];
    const isWhole = async (): Promise<boolean> => {
      ids = [];
      for await (const { id } of system.client.list<{ id: string }>('/inbox?limit=100', { key })) ids.push(id);
      return wanted.every((id) => ids.includes(id));
    };
    await until('the whole inbox', isWhole, PATIENCE_SECONDS).catch(() => undefined);
    return ids;
  }
});

const MARK = /\b(?:issue|comment|resolution|entry|user|message|question) [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
