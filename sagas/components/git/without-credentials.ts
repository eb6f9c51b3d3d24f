/** `https://user:token@host` → `https://***@host`. */
export const withoutCredentials = (text: string): string => text.replaceAll(/(\w+:\/\/)[^\s/]+@/g, '$1***@');
