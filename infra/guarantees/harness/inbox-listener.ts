import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@workledger/shared/client/client.ts';

type Listening = {
  readonly client: Client;
  readonly key: string;
  readonly signal: AbortSignal;
  /** The first line is open: from here on nothing may be left out. */
  readonly onOpen: () => void;
  readonly onMessage: (id: string) => void;
  /** Told what the channel may not say: that it begins anew, or that this reader is too slow. */
  readonly onReset: (why: string) => void;
};

const AGAIN_MILLISECONDS = 200;

/** Listens to the inbox by Server-Sent Events until the signal aborts, from where it stopped however often the line ends. */
export async function listenForMessages({ client, key, signal, onOpen, onMessage, onReset }: Listening): Promise<void> {
  let last: string | null = null;
  const take = (block: string): void => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
    const [id, event, data] = [field('id'), field('event'), field('data')];
    if (event === 'hello') onOpen();
    if (event === 'reset' || (event === 'closing' && data.includes('slow-reader'))) onReset(`${event} ${data}`);
    if (event === 'message') onMessage((JSON.parse(data) as { data: { id: string } }).data.id);
    // What was taken is taken: from here on.
    if (id !== '') last = id;
  };
  while (!signal.aborted) {
    try {
      const headers = { Authorization: `Bearer ${key}`, ...(last !== null && { 'Last-Event-ID': last }) };
      const answer = await fetch(client.urlOf('/live?feeds=inbox'), { headers, signal });
      if (answer.ok && answer.body !== null) {
        let text = '';
        for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
          const blocks = (text + chunk).split('\n\n');
          text = blocks.pop()!;
          for (const block of blocks) take(block);
        }
      } else await answer.body?.cancel();
    } catch {
      // The line ended, or nobody is there yet: again, from the last that was taken.
    }
    await pause(AGAIN_MILLISECONDS, undefined, { signal }).catch(() => undefined);
  }
}
