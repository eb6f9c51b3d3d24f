import type { Context } from '../contexts/define-events.ts';
import type { Reach } from '../contexts/sync/webhook/events.ts';
import { streamTypes } from './catalogue.ts';

/** Streams that whoever is no administrator may not read event by event. */
const BEYOND_WORK = new Set([
  'key',
  'user',
  'knowledge',
  'message-type',
  'message',
  'inbox',
  'webhook',
  'dispatch',
  'configuration',
]);

/** Whether events of streams of a type may go to a subscription of this reach; those of sagas go to none. */
export const isWithinReach = (reach: Reach, type: string): boolean =>
  !type.startsWith('saga-') && (reach === 'all' || !BEYOND_WORK.has(type));

/** Whether a pattern stands for an event: all, those of a source, those whose published type it begins, or one published type. */
export const stands = (pattern: string, type: string, name: string): boolean =>
  pattern === '*' ||
  pattern === `workledger.${type}.*` ||
  pattern === `workledger.${type}.${name}` ||
  (pattern.startsWith('/') && pattern === `/workledger/${contextOfType.get(type) ?? ''}`);

const contextOfType = new Map<string, Context>(streamTypes.map(({ type, context }) => [type, context]));

/** The stream types whose events a pattern stands for. */
export const typesOf = (pattern: string): readonly string[] =>
  streamTypes
    .filter(
      ({ type, context, events }) =>
        context !== 'saga' && Object.keys(events).some((name) => stands(pattern, type, name)),
    )
    .map(({ type }) => type);
