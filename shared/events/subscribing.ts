import type { Context } from '../contexts/define-events.ts';
import type { Reach } from '../contexts/sync/webhook/events.ts';
import { streamTypes } from './catalogue.ts';

/** Streams that whoever is no administrator may not read event by event. */
const BEYOND_WORK = new Set(['key', 'user', 'knowledge', 'message-type', 'message', 'inbox', 'webhook']);

/** Whether events of streams of a type may go to a subscription of this reach; those of sagas go to none. */
export const isWithinReach = (reach: Reach, type: string): boolean =>
  !type.startsWith('saga-') && (reach === 'all' || !BEYOND_WORK.has(type));

/** Whether a pattern stands for an event. @param name as `workledger.<context>.<event>` has it */
export const stands = (pattern: string, context: Context, name: string): boolean =>
  pattern === '*' || pattern === `workledger.${context}.*` || pattern === `workledger.${context}.${name}`;

/** The stream types whose events a pattern stands for. */
export const typesOf = (pattern: string): readonly string[] =>
  streamTypes
    .filter(
      ({ context, events }) => context !== 'saga' && Object.keys(events).some((name) => stands(pattern, context, name)),
    )
    .map(({ type }) => type);
