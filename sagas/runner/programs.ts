import { hostname } from 'node:os';
import { z } from 'zod';
import type { Configuration } from '@workledger/shared/config/schema.ts';
import { route, type Route } from '@workledger/shared/http/route.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { runLoops, type RunningService } from '@workledger/shared/service/service.ts';
import { maskText } from '@workledger/shared/telemetry/mask.ts';
import { harmless } from '@workledger/shared/telemetry/one-line.ts';
import { programNames, programsOf } from '../components/programs.ts';
import type { Seen } from '../components/state.ts';
import type { TrialPlace } from '../components/try-program.ts';
import { createWatch, type WatchOptions } from '../components/watch.ts';

const PROGRAMS_PATH = '/programs';
const MOST_PROGRAMS = 500;
const MOST_BYTES = 1_000_000;
const ASK_MILLISECONDS = 5_000;

/** What a runner tells of the programs that its calls start: as it saw them at its last look. */
const programsTold = z.strictObject({
  process: z.string().min(1).max(200).describe('the runner that sees them so'),
  programs: z
    .array(
      z.strictObject({
        name: z.string().max(300),
        state: z.enum(['healthy', 'degraded', 'unavailable']),
        reason: z.string().max(1_000).nullable(),
      }),
    )
    .max(MOST_PROGRAMS),
});

type Programs = RunningService & Required<Pick<RunningService, 'facts'>> & { readonly routes: readonly Route[] };

/** The runner's side: looks at its programs as sagas look at systems, and tells who asks. */
export function watchPrograms(
  configuration: Pick<Configuration, 'agents' | 'repositories'>,
  place: TrialPlace,
  options: Pick<WatchOptions, 'logger' | 'everyMilliseconds'>,
): Programs {
  let last: readonly Seen[] = [];
  const record = (seen: readonly Seen[]): Promise<void> => {
    last = seen;
    return Promise.resolve();
  };
  const watch = createWatch(programsOf(configuration, place), { ...options, record });
  return {
    ...runLoops((signal) => [watch.run(signal)]),
    facts: watch.facts,
    routes: [
      route({
        method: 'get',
        path: PROGRAMS_PATH,
        role: ['service'],
        tag: 'calls',
        summary: 'Tells how the programs are that calls start here, as they were at the last look',
        answers: { 200: { description: 'Empty before the first look.', schema: programsTold } },
        handler: () => {
          const programs = last.slice(0, MOST_PROGRAMS).map(({ name, state, reason }) => ({ name, state, reason }));
          return Promise.resolve({ json: { process: `${hostname()}:${process.pid}`.slice(-200), programs } });
        },
      }),
    ],
  };
}

export type SeenByRunner = { readonly process: string; readonly seen: readonly Seen[] };

/**
 * Sagas' side: asks each runner. One that does not answer, or does not know the question yet, tells nothing: what it told before grows
 * stale. Of what the configuration does not have nothing is believed.
 */
export async function askPrograms(
  { urls, key }: { readonly urls: readonly string[]; readonly key: string },
  configuration: Pick<Configuration, 'agents' | 'repositories'>,
): Promise<readonly SeenByRunner[]> {
  const known = new Set(programNames(configuration));
  const ask = async (url: string): Promise<SeenByRunner> => {
    const answer = await fetch(new URL(PROGRAMS_PATH, url), {
      redirect: 'error',
      headers: { Authorization: `Bearer ${key}` },
      signal: timeoutSignal(ASK_MILLISECONDS),
    });
    const text = answer.ok ? await shortText(answer) : '';
    const { process, programs } = programsTold.parse(JSON.parse(text));
    const seen = programs
      .filter(({ name }) => known.has(name))
      .map(({ name, state, reason }): Seen => {
        return { name, kind: 'program', state, reason: reason === null ? null : harmless(maskText(reason)) };
      });
    // So that it cannot speak for a process of sagas.
    return { process: `runner ${harmless(process)}`, seen };
  };
  const answers = await Promise.allSettled(urls.map(ask));
  return answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

async function shortText(answer: Response): Promise<string> {
  if (answer.body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > MOST_BYTES) throw new RangeError('the answer of a runner is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
