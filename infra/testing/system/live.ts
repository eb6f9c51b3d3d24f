import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { until } from '../processes/until.ts';

export type LiveEvent = { readonly id: string; readonly event: string; readonly data: Record<string, unknown> };
export type LiveLine = {
  readonly status: number;
  readonly events: readonly LiveEvent[];
  /** Resolves with the first event that fits, of those that came and those that come. */
  until(fits: (event: LiveEvent) => boolean): Promise<LiveEvent>;
  ended: Promise<void>;
  close(): void;
};

/** Listens to Server-Sent Events as a browser would. */
export async function listen(url: string, key: string, feeds: string, after?: string): Promise<LiveLine> {
  const leaving = new AbortController();
  const response = await fetch(`${url}/api/v1/live?feeds=${feeds}`, {
    headers: { Authorization: `Bearer ${key}`, ...(after !== undefined && { 'Last-Event-ID': after }) },
    signal: leaving.signal,
  });
  const events: LiveEvent[] = [];
  const read = async (): Promise<void> => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? '';
        const data = field('data');
        const event = data === '' ? 'alive' : field('event');
        events.push({ id: field('id'), event, data: data === '' ? {} : (JSON.parse(data) as Record<string, unknown>) });
      }
    }
  };
  const ended = read().catch(() => undefined);
  return {
    status: response.status,
    events,
    ended,
    until: async (fits) => {
      for (let tries = 0; tries < 1_000; tries++) {
        const found = events.find(fits);
        if (found !== undefined) return found;
        await pause(20);
      }
      throw new Error(`nothing of that came; what did: ${JSON.stringify(events)}`);
    },
    close: () => leaving.abort(),
  };
}

export type SocketLine = {
  /** All that came until now. */
  readonly frames: readonly Record<string, unknown>[];
  say(told: object): void;
  /** The first frame that has all of these, of those that came and those that come. */
  until(fits: Record<string, unknown>): Promise<Record<string, unknown>>;
  close(): void;
};

/** Opens the live channel, or what stands at another address, as a WebSocket. */
export async function openSocket(url: string, key: string): Promise<SocketLine> {
  const address = url.includes('/api/') ? url : `${url}/api/v1/live`;
  const socket = new WebSocket(address.replace('http', 'ws'), {
    headers: { Authorization: `Bearer ${key}` },
  });
  const frames: Record<string, unknown>[] = [];
  socket.on('message', (bytes) => frames.push(JSON.parse((bytes as Buffer).toString()) as Record<string, unknown>));
  const failed = new Promise<never>((_, reject) => socket.once('error', reject));
  const untilFrame: SocketLine['until'] = (fits) =>
    until(`a frame ${JSON.stringify(fits)}`, () =>
      frames.find((frame) => Object.entries(fits).every(([name, value]) => frame[name] === value)),
    );
  await Promise.race([untilFrame({ type: 'hello' }), failed]);
  return { frames, say: (told) => socket.send(JSON.stringify(told)), until: untilFrame, close: () => socket.close() };
}
