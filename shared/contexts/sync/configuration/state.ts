import { plainSnapshot, type Fold } from '../../define-events.ts';
import type { ConfigurationEvent, Content } from './events.ts';

/** What the API has set for an environment; empty: nothing. */
export type ConfigurationState = { readonly content: Content };

export const configurationFold: Fold<ConfigurationState, ConfigurationEvent> = {
  type: 'configuration',
  initial: { content: {} },
  snapshot: plainSnapshot(1),
  evolve: (_, event) => ({ content: event.data.content }),
};
