import type { Call } from '@workledger/shared/client/client.ts';

/** What there is before anything bad is asked. */
export type Known = {
  readonly agentId: string;
  /** Pending; `waiting` waits for it. */
  readonly task: string;
  /** Held by the agent, under `claimId`. */
  readonly claimed: string;
  readonly claimId: string;
  readonly cancelled: string;
  readonly waiting: string;
  /** Open, of no repository. */
  readonly issue: string;
  /** `x` is 1; its first version is too far back to be changed. */
  readonly document: string;
  /** Handed to the agent, at least once. */
  readonly dispatch: string;
  readonly deliveryId: string;
  readonly agentKey: string;
  /** Has an input `n`, an integer; one of its runs is under way, the other one was cancelled. */
  readonly workflow: string;
  readonly run: string;
  readonly ended: string;
  /** Keys of these roles. */
  readonly viewer: string;
  readonly auditor: string;
  readonly operator: string;
  readonly service: string;
};

export type Request = { readonly method: string; readonly path: string; readonly call: Call };
export type BadRequest = {
  readonly name: string;
  readonly request: (known: Known) => Request;
  readonly status: number;
  readonly code: string;
};

export const bad = (name: string, status: number, code: string, request: BadRequest['request']): BadRequest => ({
  name,
  status,
  code,
  request,
});
export const post = (path: string, body: unknown, call: Call = {}): Request => ({
  method: 'POST',
  path,
  call: { ...call, body },
});
export const patch = (path: string, body: unknown, call: Call = {}): Request => ({
  method: 'PATCH',
  path,
  call: { ...call, body },
});
