import { Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { serveBatchAppend, type AppendCall } from './batch-append.ts';
import { createPendingFaults, type Fault } from './faults.ts';
import { startFront } from './front.ts';
import { createMemoryLog } from './memory-log.ts';
import { serveRead, type ReadCall } from './read.ts';
import { createSubscriptions, tooSlow } from './subscribe.ts';

/** What reached the server so far. */
export type Counts = {
  readonly appends: number;
  readonly subscriptions: number;
  /** Events that it sent to readers. */
  readonly sent: number;
};

export type DoubleServer = {
  readonly connectionString: string;
  fault(fault: Fault): Promise<void>;
  counts(): Promise<Counts>;
  close(): Promise<void>;
};

export type DoubleOptions = {
  /** To listen on; default: any that is free. */
  readonly port?: number;
  /** How long the server tries to write before it says that it timed out, in milliseconds; default 2,000. */
  readonly writeTimeoutMilliseconds?: number;
};

/** Starts the double in this process. Its events are in memory. */
export async function startDoubleServer(options: DoubleOptions = {}): Promise<DoubleServer> {
  const log = createMemoryLog();
  const faults = createPendingFaults();
  const subscriptions = createSubscriptions(log);
  let appends = 0;
  let sent = 0;
  /** Why nobody is let in. */
  let refusal: { readonly code: status; readonly details: string } | null = null;
  const admitted = (call: ReadCall | AppendCall): boolean => {
    if (refusal !== null) call.emit('error', Object.assign(new Error(), refusal));
    return refusal === null;
  };
  const server = new Server();
  server.addService(streamsGrpc.StreamsService, {
    read: (call: ReadCall) => {
      call.on('error', () => undefined);
      if (!admitted(call)) return;
      const write = call.write.bind(call) as (message: ReadResp) => boolean;
      call.write = (message: ReadResp): boolean => {
        if (message.hasEvent()) sent += 1;
        return write(message);
      };
      const isSubscription = call.request.getOptions()?.hasSubscription() ?? false;
      const served = isSubscription ? subscriptions.serve(call) : serveRead(log, call);
      served.then(
        () => call.end(),
        (error: unknown) => call.emit('error', error),
      );
    },
    batchAppend: (call: AppendCall) => {
      const writeTimeout = options.writeTimeoutMilliseconds ?? 2_000;
      const onAppend = (): number => (appends += 1);
      if (admitted(call)) serveBatchAppend({ log, faults, cut: () => front.cut(), writeTimeout, onAppend }, call);
    },
  });
  server.addService(featuresGrpc.ServerFeaturesService, {
    getSupportedMethods: (
      _call: unknown,
      answer: (error: ServiceError | null, methods: features.SupportedMethods) => void,
    ) => answer(null, supportedMethods()),
  });
  const upstream = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
  const front = await startFront(upstream, options.port);
  const act: Partial<Record<Fault, () => void | Promise<void>>> = {
    freeze: front.freeze,
    thaw: front.thaw,
    'half-open': front.halfOpen,
    away: front.leave,
    back: front.comeBack,
    cut: front.cut,
    reset: () =>
      subscriptions.failAll(
        Object.assign(new Error(), { code: status.INTERNAL, details: 'Received RST_STREAM with code 0' }),
      ),
    'slow-consumer': () => subscriptions.failAll(tooSlow()),
    silence: subscriptions.silenceAll,
    unauthenticated: () => void (refusal = { code: status.UNAUTHENTICATED, details: 'Invalid credentials' }),
    denied: () => void (refusal = { code: status.PERMISSION_DENIED, details: 'Access Denied' }),
    admitted: () => void (refusal = null),
  };

  return {
    connectionString: `esdb://127.0.0.1:${front.port}?tls=false`,
    fault: async (fault) => {
      if (!faults.add(fault)) await act[fault]?.();
    },
    counts: async () => ({ appends, subscriptions: subscriptions.opened(), sent }),
    close: async () => {
      await front.leave();
      server.forceShutdown();
    },
  };
}

function supportedMethods(): features.SupportedMethods {
  const methods = ['read', 'append', 'batchappend'].map((name) =>
    new features.SupportedMethod().setServiceName('event_store.client.streams.Streams').setMethodName(name),
  );
  return new features.SupportedMethods().setMethodsList(methods).setEventStoreServerVersion('23.10.6');
}
