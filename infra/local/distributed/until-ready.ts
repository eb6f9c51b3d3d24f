import { pause } from '@workledger/shared/resilience/pause.ts';
import type { ServicePlan } from './service-process.ts';

type Health = { readonly dependencies?: Readonly<Record<string, 'up' | 'down'>> };

const LOOK_MILLISECONDS = 200;
const TELL_MILLISECONDS = 5_000;

/** Waits until every service says that it is ready; tells now and then what is still waited for. */
export async function untilReady(
  plans: readonly ServicePlan[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let told = performance.now();
  while (!signal.aborted) {
    const waiting = (await Promise.all(plans.map(whatItWaitsFor))).filter((text) => text !== null);
    if (waiting.length === 0) return;
    if (performance.now() - told > TELL_MILLISECONDS) {
      told = performance.now();
      say(`waiting for ${waiting.join('; ')}`);
    }
    await pause(LOOK_MILLISECONDS, signal);
  }
}

/** null: it is ready. */
async function whatItWaitsFor({ name, url }: ServicePlan): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(3_000) });
    if (answer.ok) return null;
    const { dependencies = {} } = (await answer.json()) as Health;
    const down = Object.entries(dependencies).flatMap(([dependency, state]) =>
      state === 'down' && dependency !== 'start' ? [dependency] : [],
    );
    return down.length === 0 ? name : `${name} (${down.join(', ')})`;
  } catch {
    return name;
  }
}
