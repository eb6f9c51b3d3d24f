import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { DemoClient, Receipt } from './client.ts';
import type { Sample } from './configuration.ts';

/** Where the demo plays: a system of its own in this process, or one that runs already. */
export type Stage = {
  readonly client: DemoClient;
  /** The API's address without a path, as lines for a shell name it. */
  readonly url: string;
  /** The command that starts the system for who wants to look afterwards; null: it runs. */
  readonly startCommand: string | null;
  readonly keyFile: string;
  readonly secret: string;
  readonly sample: Sample;
  readonly issueNumber: number;
  agentName(id: string): string;
  /** Tells the steps as they happen, until the signal aborts. `delivered` resolves when the demo's own issue is delivered. */
  follow(delivered: Promise<Receipt>, print: (event: RecordedEvent) => void, signal: AbortSignal): Promise<void>;
  /** Rejects when the system cannot go on. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
};
