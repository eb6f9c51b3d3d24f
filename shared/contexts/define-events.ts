import { z } from 'zod';

/** An event as a decision returns it: a name and its data, not yet written. */
export type DomainEvent<Type extends string = string, Data = unknown> = {
  readonly type: Type;
  readonly data: Data;
};

export type Context = 'task' | 'evolution' | 'agent' | 'sync' | 'saga';

export type EventDefinition = {
  readonly version: number;
  readonly schema: z.ZodType;
  /** Every earlier version, by its number: what was written under it is read for ever. */
  readonly past?: Readonly<Record<number, PastVersion>>;
  /** Its data holds an event of another stream (`source.stream`, `type`, `version`, `data`), which is read as that one is. */
  readonly holds?: true;
  /** Fields of its data that stay in the log: what is published has none of them, in no version. */
  readonly private?: readonly string[];
};

/** A version that is not written any more: its schema, and what turns its data into data of the version after it. */
export type PastVersion = { readonly schema: z.ZodType; readonly upcast: (data: never) => unknown };

/** Declares a past version. @param next schema of the version after it, which the upcaster's result must fit */
export const past = <Old extends z.ZodType, Next extends z.ZodType>(
  schema: Old,
  next: Next,
  upcast: (data: z.infer<Old>) => z.input<Next>,
): PastVersion => ({ schema, upcast });

export type StreamTypeDefinition<Events extends Record<string, EventDefinition> = Record<string, EventDefinition>> = {
  readonly type: string;
  readonly context: Context;
  readonly events: Events;
};

/** Declares a stream type: the context it belongs to and every event it may hold, with schema and version. */
export const defineStreamType = <const Events extends Record<string, EventDefinition>>(
  definition: StreamTypeDefinition<Events>,
): StreamTypeDefinition<Events> => definition;

/** The union of a stream type's events, as `{ type, data }`. */
export type EventOf<Definition> =
  Definition extends StreamTypeDefinition<infer Events>
    ? { [Type in keyof Events & string]: DomainEvent<Type, z.infer<Events[Type]['schema']>> }[keyof Events & string]
    : never;

/** Marks a text as personal data of the subject named by another field of the event. No format rules: it may hold ciphertext. */
export const personal = (subject: string): z.ZodString => z.string().meta({ personal: { subject } });

/** How a stream's events add up. Pure; the same for whoever reads the stream. */
export type Fold<State, Event extends DomainEvent> = {
  /** Stream type. */
  readonly type: string;
  /** Of a stream that does not exist. */
  readonly initial: State;
  readonly evolve: (state: State, event: Event) => State;
  /** How its state is kept outside the log, so that a long stream is not read whole; default: it is not. */
  readonly snapshot?: SnapshotForm<State>;
};

/** How a state is written down for later. */
export type SnapshotForm<State> = {
  /** From 1. Raise it with every change of the state or of how it is folded: what an earlier form wrote is then folded again. */
  readonly version: number;
  /** A value that JSON can say. */
  readonly write: (state: State) => unknown;
  /** May leave the work until it is asked for. */
  readonly read: (written: unknown) => State;
};

/** The form of a state that is JSON itself. */
export const plainSnapshot = <State>(version: number): SnapshotForm<State> => ({
  version,
  write: (state) => state,
  read: (written) => written as State,
});
