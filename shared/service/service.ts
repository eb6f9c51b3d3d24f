import { setMaxListeners } from 'node:events';
import type { Pool } from 'pg';
import type { ArtefactStore } from '../artefacts/port.ts';
import type { Configuration } from '../config/schema.ts';
import type { EventBus } from '../event-bus/port.ts';
import type { EventLog } from '../event-log/port.ts';
import type { Outages } from '../resilience/outages/outages.ts';
import { rejectionOf } from '../resilience/with-deadline.ts';
import type { WakeUps } from '../resilience/wake-ups.ts';
import type { KeyStore } from '../security/key-store.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What services stand on: each names what it needs of it. Whoever composes them opens it, and closes it after them. */
export type Foundation = {
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  readonly artefacts: ArtefactStore;
  readonly keys: KeyStore;
  /** Told by projections, heard by queries that wait for them. */
  readonly wakeUps: WakeUps;
  readonly configuration: Configuration;
  /** Absolute folder of the configuration file: where relative paths of secrets start. */
  readonly folder: string;
  /** Absolute folder for mirrors and worktrees. */
  readonly dataFolder: string;
  readonly logger: Logger;
  /** Of the process: what it depends on and cannot use is told once. */
  readonly outages: Outages;
};

/** A service at work; servers that are away are waited for. */
export type RunningService = {
  /** Facts that /health tells beside. */
  readonly facts?: () => Readonly<Record<string, unknown>>;
  /** Resolves with what ended it before `stop`. */
  readonly failed?: Promise<Error>;
  /** Before `stop`: begins nothing new, and resolves when what cannot be given back has ended, or has had its time. */
  drain?(): Promise<unknown>;
  /** Gives back what is in hand; resolves when all has ended. */
  stop(): Promise<unknown>;
};

/** What keeps parts of a service from working, as /health tells it until it is over. */
export function createProblems() {
  const problems = new Map<string, string>();
  return {
    /** @param told null: it is over */
    tell: (where: string, told: string | null): void =>
      void (told === null ? problems.delete(where) : problems.set(where, told)),
    facts: (): Readonly<Record<string, unknown>> =>
      problems.size === 0 ? {} : { problem: [...problems.values()].join('; ') },
  };
}

/** Runs loops, each of which goes on until the service stops. @param begin starts them; the signal ends them */
export function runLoops(begin: (signal: AbortSignal) => readonly Promise<unknown>[]): RunningService {
  const stopping = new AbortController();
  // Every loop listens, and what it runs: that many are no leak.
  setMaxListeners(0, stopping.signal);
  const loops = begin(stopping.signal);
  const failed = new Promise<Error>((resolve) => {
    for (const loop of loops) void rejectionOf(loop).then((error) => stopping.signal.aborted || resolve(error));
  });
  return {
    failed,
    stop: () => {
      stopping.abort();
      return Promise.allSettled(loops);
    },
  };
}

/** The process in which services run, as those see it who open what services stand on. */
export type Host = {
  /** How its connections are named. */
  readonly name: string;
  readonly logger: Logger;
  readonly outages: Outages;
  /** Aborts as the process begins to stop. */
  readonly closing: AbortSignal;
  /** Remembers how to close what was opened; closed newest first. */
  onClose(close: () => unknown, what?: string): void;
  /**
   * Opens something that the services depend on; from then on /health tells of it by this name.
   * @param check rejects while it is not usable; default: opening it once more
   */
  dependOn<Opened>(
    name: string,
    open: () => Promise<Opened>,
    check?: (opened: Opened) => Promise<unknown>,
  ): Promise<Opened>;
};
