import { NoAnswer } from '../no-answer.ts';

/** What to tell when no address could be reached. */
export function connectionFault(addresses: readonly string[], cause: unknown): NoAnswer {
  const places = [...new Set(addresses.map((address) => new URL(address).origin))].join(', ');
  return new NoAnswer(`command-service cannot be reached at ${places}: ${reasonOf(cause)}`, { cause });
}

/** The system's own code, which fetch hides in a cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return String(inner);
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.message;
}
