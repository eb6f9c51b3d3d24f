import { expect, test } from 'vitest';
import { createAddressOf } from './peer.ts';

const addressOf = createAddressOf(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);

test.each([
  ['nobody in between', '192.0.2.1', undefined, '192.0.2.1'],
  ['a stranger who says to be another', '192.0.2.1', '198.51.100.1', '192.0.2.1'],
  ['a gateway that says who', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['a gateway on a socket for both kinds', '::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['a gateway that says nothing', '10.1.2.3', undefined, '10.1.2.3'],
  ['two gateways in a row', '10.1.2.3', '198.51.100.1, 10.9.9.9', '198.51.100.1'],
  ['a stranger before the gateway who says to be another', '10.1.2.3', '127.0.0.1, 198.51.100.1', '198.51.100.1'],
  ['what is no address', '10.1.2.3', '198.51.100.1, unknown', '10.1.2.3'],
  ['nothing', '10.1.2.3', '', '10.1.2.3'],
  ['IPv6 through IPv6', 'fd00::1', '2001:db8::7', '2001:db8::7'],
  ['more hops than anybody has', '10.1.2.3', '198.51.100.1' + ', 10.0.0.1'.repeat(100), '10.0.0.1'],
])('%s', (_, address, forwardedFor, expected) => {
  expect(addressOf({ address, forwardedFor })).toBe(expected);
});

test('nobody is trusted unless it was said', () => {
  expect(createAddressOf()({ address: '127.0.0.1', forwardedFor: '198.51.100.1' })).toBe('127.0.0.1');
});

test.each(['gateway', '10.0.0.0/33', '10.0.0/8', '', '::/129', '10.0.0.1/'])('%j is no network', (network) => {
  expect(() => createAddressOf([network])).toThrow('use an address');
});
