import type { Fault } from '@workledger/shared/event-log/eventstoredb/double/faults.ts';
import { startFront } from '@workledger/shared/event-log/eventstoredb/double/front.ts';
import { startDouble } from '@workledger/shared/event-log/eventstoredb/double/start-double.ts';
import type { Store, Strike } from '../system/stores.ts';

export type LogServer = {
  readonly address: string;
  /** What can befall it, where that can be brought about from here. */
  readonly store?: Store;
  stop(): Promise<void>;
};

/**
 * Where an engine's log is: in a database of the test's own; or in EventStoreDB, the real one that EVENTSTOREDB_URL names, else the
 * double in a process of its own. Before a real one that is a single node without TLS stands a front that can keep it away.
 */
export async function startLogServer(engine: string, databaseUrl: string): Promise<LogServer> {
  if (engine !== 'eventstoredb') return { address: databaseUrl, stop: () => Promise.resolve() };
  const given = process.env['EVENTSTOREDB_URL'];
  if (given !== undefined) return behindFront(given);
  const double = await startDouble();
  const strike = (fault: Fault): Promise<void> => double.fault(fault);
  return {
    address: double.connectionString,
    store: storeBehind({
      freeze: () => strike('freeze'),
      thaw: () => strike('thaw'),
      leave: () => strike('away'),
      comeBack: () => strike('back'),
    }),
    stop: () => double.close(),
  };
}

const SINGLE_NODE = /^esdb:\/\/([^@/?]*@)?(127\.0\.0\.1|localhost):(\d+)\/?(\?.*tls=false.*)$/;

async function behindFront(address: string): Promise<LogServer> {
  const [, user = '', , port = '', query = ''] = SINGLE_NODE.exec(address) ?? [];
  if (port === '') return { address, stop: () => Promise.resolve() };
  const front = await startFront(Number(port));
  const act = (change: () => void) => (): Promise<void> => Promise.resolve(change());
  const { freeze, thaw, leave, comeBack } = front;
  return {
    address: `esdb://${user}127.0.0.1:${front.port}${query}`,
    store: storeBehind({ freeze: act(freeze), thaw: act(thaw), leave, comeBack }),
    stop: leave,
  };
}

type Way = Readonly<Record<'freeze' | 'thaw' | 'leave' | 'comeBack', () => Promise<void>>>;

/** Gone as after kill -9, or after a stop: nobody listens, every connection is cut. */
const storeBehind = ({ freeze, thaw, leave, comeBack }: Way): Store => ({
  name: 'event-log',
  begin: (strike: Strike) => (strike === 'freeze' ? freeze() : leave()),
  end: (strike: Strike) => (strike === 'freeze' ? thaw() : comeBack()),
});
