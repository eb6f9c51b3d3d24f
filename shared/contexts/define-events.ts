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
  /** `upcast[n]` turns data of version n into data of version n + 1. */
  readonly upcast?: Readonly<Record<number, (data: never) => unknown>>;
};

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
};
