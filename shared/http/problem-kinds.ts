import type { RefusalCode } from '../commands/refusal.ts';

type Kind = { readonly status: number; readonly title: string };

/** Why commands are refused, as HTTP tells it. */
const refusals: Readonly<Record<RefusalCode, Kind>> = {
  'not-found': { status: 404, title: 'Not found' },
  'already-exists': { status: 409, title: 'It exists already' },
  'illegal-transition': { status: 409, title: 'Not possible in the current state' },
  'claim-mismatch': { status: 409, title: 'The claim is not the current one' },
  'no-capacity': { status: 409, title: 'The agent has no free capacity' },
  'missing-capability': { status: 409, title: 'The agent lacks a capability' },
  blocked: { status: 409, title: 'The task waits for another one' },
  'dependency-cycle': { status: 409, title: 'The dependency would close a cycle' },
  'unknown-repository': { status: 422, title: 'The repository is not registered' },
  'unknown-reference': { status: 422, title: 'The request names something that does not exist' },
  forbidden: { status: 403, title: 'Not allowed' },
  'revision-mismatch': { status: 412, title: 'It has changed meanwhile' },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key belongs to another request' },
  'invalid-command': { status: 400, title: 'The command is not valid' },
  'too-large': { status: 413, title: 'Too large' },
};

/** Every kind of problem there is. The code is stable, part of the API: the last part of the problem's `type`. */
export const problemKinds = {
  ...refusals,
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'invalid-json': { status: 400, title: 'The body is not JSON' },
  unauthenticated: { status: 401, title: 'A valid API key is needed' },
  'bad-signature': { status: 401, title: 'The signature does not match' },
  'unknown-route': { status: 404, title: 'There is no such route' },
  'method-not-allowed': { status: 405, title: 'The route does not know this method' },
  'not-acceptable': { status: 406, title: 'No answer in a wanted media type' },
  'unsupported-media-type': { status: 415, title: 'The media type is not supported' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  unavailable: { status: 503, title: 'Not available at the moment' },
  'not-configured': { status: 503, title: 'Not configured' },
  'stream-parked': { status: 503, title: 'The read model has stopped for this stream' },
  'not-yet-visible': { status: 503, title: 'The read model is not there yet' },
} as const satisfies Readonly<Record<string, Kind>>;

export type ProblemCode = keyof typeof problemKinds;
