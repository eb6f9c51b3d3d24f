/** The requests of a connection, as kafkajs 2.2.4 has them inside. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    constructor(options: {
      readonly requestTimeout: number;
      readonly enforceRequestTimeout: boolean;
      readonly clientId: string;
      readonly broker: string;
      readonly logger: { debug(message: string): void };
    });
    readonly pending: readonly unknown[];
    push(request: {
      readonly entry: { readonly correlationId: number; resolve(answer: unknown): void };
      sendRequest(): void;
    }): void;
    maybeThrottle(milliseconds: number): void;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
    destroy(): void;
  }
}
