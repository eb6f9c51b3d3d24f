import {
  configurationId,
  type ConfigurationEvent,
  type Content,
} from '@workledger/shared/contexts/sync/configuration/events.ts';

export const environment = 'production' as const;
export const reason = 'asked for';
const actor = 'user:1';
/** Who changes the configuration, of this environment. */
export const by = { id: configurationId(environment), actor };

/** What a change for that reason comes to. */
export const revised = (
  content: Content,
  changes: { path: string; value?: unknown }[],
  rolledBackTo?: number,
): ConfigurationEvent => ({
  type: 'ConfigurationRevised',
  data: {
    ...{ environment, reason, changes, changedBy: actor, content },
    ...(rolledBackTo !== undefined && { rolledBackTo }),
  },
});
