import type { ComponentState } from '@workledger/shared/read-models/components.ts';
import type { Breakers } from './limits.ts';
import type { OutboundState } from '@workledger/shared/outbound/outbound.ts';

/** How one is, as this process sees it: in words that anybody may read, without addresses. */
export type Seen = Pick<ComponentState, 'name' | 'kind' | 'state' | 'reason'>;
export type How = Pick<Seen, 'state' | 'reason'>;

export const HEALTHY: How = { state: 'healthy', reason: null };

/** What a check found wrong, in words that anybody may read: without addresses, and without paths of this machine. */
export class Unfit extends Error {
  override name = 'Unfit';
  readonly state: 'degraded' | 'unavailable';
  constructor(reason: string, state: 'degraded' | 'unavailable' = 'unavailable') {
    super(reason);
    this.state = state;
  }
}

/** @param why it did not pass its check; null: it did, or has none */
export function howIsSystem(why: How | null, { limitedUntil, breaker }: OutboundState): How {
  // Within a limit nothing is sent: no check tells anything.
  if (limitedUntil !== null) return { state: 'degraded', reason: `it takes nothing more before ${limitedUntil}` };
  if (why !== null) return why;
  if (breaker === 'open') return { state: 'unavailable', reason: 'it failed five times in a row and rests' };
  return breaker === 'half-open' ? { state: 'degraded', reason: 'it failed, and is tried again' } : HEALTHY;
}

/** Of a component: it has a breaker for each repository. */
export function howIsComponent({ closed, open, halfOpen }: ReturnType<Breakers['counts']>[string]): How {
  const failing = open + halfOpen;
  if (failing === 0) return HEALTHY;
  const all = closed === 0 && halfOpen === 0;
  const where = all ? 'every repository that it was called for' : 'some repositories';
  const reason = `it failed five times in a row, and rests, for ${where}`;
  return { state: all ? 'unavailable' : 'degraded', reason };
}

/** Of a plugin, by its parts whose last call failed. */
export function howIsPlugin(failing: Readonly<Record<string, 'failing' | 'resting'>>): How {
  const parts = Object.entries(failing).map(([part, state]) => `${part} ${state === 'resting' ? 'rests' : 'fails'}`);
  return parts.length === 0 ? HEALTHY : { state: 'degraded', reason: `its ${parts.toSorted().join(', its ')}` };
}
