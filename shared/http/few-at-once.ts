import type { Request, RequestHandler } from 'express';
import { Problem } from './problem.ts';

/** Of one process. */
const PLACES = 4;
/** Who sends webhooks waits for ten seconds at most. */
const WAIT_MILLISECONDS = 8_000;

type Bounds = {
  /** More than this is large. */
  readonly largeBytes: number;
  /** More than this is refused by whoever comes next, unread. */
  readonly limit: number;
  readonly waitMilliseconds?: number;
};

/**
 * Large bodies, and those that do not say how large they are, are read a few at a time, from their first byte until they are answered:
 * the memory that they take together is bounded, whoever sends them. The others wait unread, in the order in which they came.
 */
export function fewAtOnce({ largeBytes, limit, waitMilliseconds = WAIT_MILLISECONDS }: Bounds): RequestHandler {
  let free = PLACES;
  const waiting = new Set<() => void>();
  const leave = (): void => {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else next();
  };
  const isLarge = ({ headers }: Request): boolean => {
    const told = headers['content-length'];
    if (told === undefined) return headers['transfer-encoding'] !== undefined;
    return Number(told) > largeBytes && Number(told) <= limit;
  };
  return (request, response, next) => {
    if (!isLarge(request)) return next();
    const enter = (): void => {
      response.once('close', leave);
      next();
    };
    if (free > 0) {
      free -= 1;
      return enter();
    }
    const giveUp = (): void => {
      clearTimeout(timer);
      waiting.delete(called);
    };
    const called = (): void => {
      giveUp();
      response.off('close', giveUp);
      enter();
    };
    const timer = setTimeout(() => {
      giveUp();
      // The rest of it is read and thrown away: who still sends hears the answer.
      const headers = { 'Retry-After': '5' };
      next(new Problem('unavailable', 'too many large bodies come at once: send it again', { headers }));
    }, waitMilliseconds);
    waiting.add(called);
    response.once('close', giveUp);
  };
}
