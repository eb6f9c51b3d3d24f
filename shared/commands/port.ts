import type { Role } from '../contexts/agent/key/events.ts';

/** A wish to change one aggregate. `type` is `<stream type>.<intention>`, `target` the aggregate's id. */
export type Command = { readonly type: string; readonly target: string; readonly data: unknown };

/** Who asks, under which key, in which conversation. */
export type CommandContext = {
  /** The same id again takes effect once and answers the same. Random when left out. */
  readonly commandId?: string;
  /** Opaque caller: `key:<uuid>`, `agent:<uuid>`, `user:<uuid>`, `saga:<stream>`, `system`. */
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId?: string | null;
  readonly traceparent?: string | null;
  /** From If-Match: decide only on this revision. */
  readonly expectedRevision?: number;
  /** Repositories that whoever asks is limited to: all other tasks are not there for it. Left out: it is not limited. */
  readonly repositories?: readonly string[];
  /** The role and the teams of whoever asks over HTTP in its own name; left out: a part of the system. */
  readonly caller?: { readonly role: Role; readonly teams: readonly string[] };
};

export type CommandAnswer = {
  readonly id: string;
  readonly stream: string;
  /** Revision of the stream after the command; -1 when nothing exists and nothing was to be done. */
  readonly revision: number;
  /** `<stream>@<revision>` of every stream that it changed: a query that carries it sees the effect. */
  readonly token: string;
  /** What the caller should know beside, such as a claim's id; {} mostly. */
  readonly details: Readonly<Record<string, unknown>>;
};

/**
 * How sagas and workers send commands. In process: straight to the handlers (`command-service/processes/handlers.ts`); distributed:
 * over HTTP to the same ones.
 */
export type Commands = {
  /** @throws CommandRefused when the answer is no: trying the same again cannot help. Any other error: try again. */
  send(command: Command, context: CommandContext): Promise<CommandAnswer>;
};

/** No answer to a command: it may have taken effect or not. Send it again under the same id. */
export class NoAnswer extends Error {
  override name: string = 'NoAnswer';
}

/** As NoAnswer, but command-service is there: something went wrong in it that is no outage, and another try may never help. */
export class CommandFault extends NoAnswer {
  override name = 'CommandFault';
}
