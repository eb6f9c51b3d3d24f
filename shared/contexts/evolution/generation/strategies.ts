/** What attempts of a generation call others than agents, whose names are their ids. */
export const CODEGEN = 'codegen';
const CHAT = 'chat:';
export const chatOfModel = (model: string): string => `${CHAT}${model}`;

export type Writer =
  | { readonly kind: 'agent' }
  | { readonly kind: 'codegen' }
  | { readonly kind: 'chat'; readonly model: string };

/** Who does an attempt of this name. */
export function writerOf(strategy: string): Writer {
  if (strategy === CODEGEN) return { kind: 'codegen' };
  return strategy.startsWith(CHAT) ? { kind: 'chat', model: strategy.slice(CHAT.length) } : { kind: 'agent' };
}
