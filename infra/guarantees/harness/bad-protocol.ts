import { newId } from '@workledger/shared/contexts/stream.ts';
import { bad, post, type BadRequest, type Known, type Request } from './bad-request.ts';

const PROTOCOL = '/collaborative/protocol';
const send =
  (json: object, key?: (known: Known) => string) =>
  (known: Known): Request => {
    const to = { target_services: [`agent:${known.agentId}`], guarantee: 'at-least-once', type: 'build.done' };
    return post(PROTOCOL, { ...to, payload: {}, ...json }, key === undefined ? {} : { key: key(known) });
  };
const digest = '0'.repeat(64);

/** Everything bad that can be asked of messages under a guarantee. */
export const badProtocol: readonly BadRequest[] = [
  bad('a guarantee that there is not', 400, 'invalid-request', send({ guarantee: 'exactly-once' })),
  bad('a message under a guarantee for nobody', 400, 'invalid-request', send({ target_services: [] })),
  bad(
    'a message under a guarantee for what is no participant',
    400,
    'invalid-request',
    send({ target_services: ['ci'] }),
  ),
  bad('a message under a guarantee for a topic', 400, 'invalid-request', send({ target_services: ['topic:builds'] })),
  bad('a message under a guarantee for an unknown agent', 422, 'unknown-reference', () =>
    post(PROTOCOL, { type: 'x', payload: 1, guarantee: 'at-most-once', target_services: [`agent:${newId()}`] }),
  ),
  bad(
    'a message under a guarantee for the same twice',
    422,
    'out-of-range',
    send({ target_services: ['team:a', 'team:a'] }),
  ),
  bad('a message under a guarantee of a type that is no name', 400, 'invalid-request', send({ type: 'a b' })),
  bad(
    'a message under a guarantee that has expired',
    422,
    'out-of-range',
    send({ expires_at: '2020-01-01T00:00:00Z' }),
  ),
  bad('a message under a guarantee for ever', 422, 'out-of-range', send({ expires_at: '2120-01-01T00:00:00Z' })),
  bad(
    'a message under a guarantee of an unknown repository',
    422,
    'unknown-repository',
    send({ repository: 'nowhere' }),
  ),
  bad('a message under a guarantee that is too long', 413, 'too-large', send({ payload: 'x'.repeat(66_000) })),
  bad('a message under a guarantee with a field that there is not', 400, 'invalid-request', send({ to: 'all' })),
  bad(
    "a message under a guarantee under a viewer's key",
    403,
    'forbidden',
    send({}, ({ viewer }) => viewer),
  ),
  bad('to receive more than may be', 400, 'invalid-request', () => post(`${PROTOCOL}/receive`, { max: 1_000 })),
  bad('to receive for ever', 400, 'invalid-request', () => post(`${PROTOCOL}/receive`, { waitSeconds: 3_600 })),
  bad('an acknowledgement of nothing', 404, 'not-found', () =>
    post(`${PROTOCOL}/${newId()}/acknowledge`, { deliveryId: newId(), digest }),
  ),
  bad('an acknowledgement that does not say what was received', 400, 'invalid-request', () =>
    post(`${PROTOCOL}/${newId()}/acknowledge`, { deliveryId: newId() }),
  ),
  bad('an acknowledgement of something else than was sent', 422, 'out-of-range', ({ dispatch, deliveryId, agentKey }) =>
    post(`${PROTOCOL}/${dispatch}/acknowledge`, { deliveryId, digest }, { key: agentKey }),
  ),
  bad('an acknowledgement of what somebody else has', 404, 'not-found', ({ dispatch, deliveryId, operator }) =>
    post(`${PROTOCOL}/${dispatch}/acknowledge`, { deliveryId, digest }, { key: operator }),
  ),
  bad('a rejection of a handing over that was not', 422, 'out-of-range', ({ dispatch, deliveryId, agentKey }) =>
    post(`${PROTOCOL}/${dispatch}/reject`, { deliveryId, number: 9, reason: 'x' }, { key: agentKey }),
  ),
  bad('a rejection of nothing', 404, 'not-found', () =>
    post(`${PROTOCOL}/${newId()}/reject`, { deliveryId: newId(), number: 1, reason: 'x' }),
  ),
  bad('deliveries in a state that there is not', 400, 'invalid-request', () => ({
    ...{ method: 'GET', path: `${PROTOCOL}?state=delivered`, call: {} },
  })),
];
