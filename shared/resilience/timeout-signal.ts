/**
 * A signal that aborts with a TimeoutError after so many milliseconds, also as one of `AbortSignal.any`. `AbortSignal.timeout` does not:
 * of what it is combined with, Node 20 holds it only weakly, so that it, and its timer, may be collected before it is due, and what it
 * should have ended goes on for ever. One that somebody listens to is kept.
 */
export function timeoutSignal(milliseconds: number): AbortSignal {
  // eslint-disable-next-line no-restricted-properties -- It is made safe here.
  const signal = AbortSignal.timeout(milliseconds);
  signal.addEventListener('abort', () => undefined, { once: true });
  return signal;
}
