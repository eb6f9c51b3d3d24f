import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Peer } from '../http/route.ts';

const MOST_HOPS = 20;
const IPV4_BITS = 32;
const IPV6_BITS = 128;

/**
 * Finds the address that a request came from: that of the connection; where that is a proxy that is trusted, what it says, and so on
 * from the last to the first of X-Forwarded-For. What others say of themselves is never believed.
 * @param trusted addresses and networks: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`
 * @throws Error that names the one that is neither
 */
export function createAddressOf(trusted: readonly string[] = []): (peer: Peer) => string {
  const proxies = new BlockList();
  for (const text of trusted) addNetwork(proxies, text);
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && proxies.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  return ({ address: connected, forwardedFor }) => {
    let address = plain(connected);
    if (forwardedFor === undefined || !isTrusted(address)) return address;
    for (const hop of forwardedFor.split(',').slice(-MOST_HOPS).reverse()) {
      const said = plain(hop.trim());
      if (isIP(said) === 0) return address;
      address = said;
      if (!isTrusted(address)) return address;
    }
    return address;
  };
}

/** An IPv4 address as such, also where the socket takes both kinds. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

/** Whether a text is an address or a network. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...more] = text.split('/');
  const most = isIPv4(address) ? IPV4_BITS : IPV6_BITS;
  return isIP(address) !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

function addNetwork(proxies: BlockList, text: string): void {
  if (!isNetwork(text)) throw new Error(`trusted proxy ${JSON.stringify(text)}: use an address, or address/bits`);
  const [address = '', bits] = text.split('/');
  const kind = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (bits === undefined) proxies.addAddress(address, kind);
  else proxies.addSubnet(address, Number(bits), kind);
}
