import type { Context } from '../../contexts/define-events.ts';
import { streamType } from '../../contexts/stream.ts';

/** Which system events come from, as `source_service` of the SystemEvent has it. */
export const SOURCE_SERVICE = 'workledger';

/** CloudEvents `source`. */
export const sourceOf = (context: Context): string => `/workledger/${context}`;

/** CloudEvents `type`: what happened to what, and by which version of its schema it is told. */
export const cloudEventType = (stream: string, type: string, version: number): string =>
  `workledger.${streamType(stream)}.${type}.v${version}`;

/**
 * CloudEvents `dataschema` and `$id` of a schema. CloudEvents wants an absolute URI, so it is a name and not the address of an
 * installation: query-service serves what is named `…/schemas/task/TaskCreated/1` at `/api/v1/schemas/task/TaskCreated/1`.
 */
export const schemaId = (...path: readonly (string | number)[]): string =>
  ['https://workledger.dev/schemas', ...path].join('/');
