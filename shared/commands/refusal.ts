/** Why a command was refused: stable, part of the API (the last part of the problem's `type`). */
export type RefusalCode =
  | 'not-found'
  | 'already-exists'
  | 'already-answered'
  | 'illegal-transition'
  | 'claim-mismatch'
  | 'no-capacity'
  | 'missing-capability'
  | 'blocked'
  | 'dependency-cycle'
  | 'graph-too-large'
  | 'unknown-repository'
  | 'unknown-reference'
  | 'forbidden'
  | 'revision-mismatch'
  | 'idempotency-key-reused'
  | 'invalid-command'
  | 'out-of-range'
  | 'invalid-content'
  | 'invalid-workflow'
  | 'too-large'
  | 'base-too-old';

/** A command was refused: nothing changed, and the same command again is refused again. */
export class CommandRefused extends Error {
  override name = 'CommandRefused';
  readonly code: RefusalCode;
  /** Machine-readable facts, such as the cycle or the current revision. */
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(code: RefusalCode, message: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}

/** Refuses, from within a decision. */
export const refuse = (code: RefusalCode, message: string, facts: Readonly<Record<string, unknown>> = {}): never => {
  throw new CommandRefused(code, message, facts);
};
