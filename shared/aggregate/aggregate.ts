import type { DomainEvent, Fold } from '../contexts/define-events.ts';

/**
 * What a decision may know beside state and data: the aggregate's id, and who asks (`key:<uuid>`, `agent:<uuid>`, `user:<uuid>`,
 * `saga:<stream>`, `system`). Time and chance come in as command data.
 */
export type DecisionContext = { readonly id: string; readonly actor: string };

/**
 * An aggregate (Decider): state is folded from events; a decision turns a command's data and the state into new events, or
 * refuses. All pure. A decision that has nothing to do returns no events.
 */
export type Aggregate<State, Event extends DomainEvent, CommandData extends Record<string, unknown>> = Fold<
  State,
  Event
> & {
  readonly decisions: {
    readonly [Type in keyof CommandData]: (
      data: CommandData[Type],
      state: State,
      context: DecisionContext,
    ) => readonly Event[];
  };
};
