/** The error as one clear line, without a stack; of an error that gathers others (every address refused) theirs. */
export function oneLine(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(oneLine).join('; ');
  return harmless(error instanceof Error ? error.message : String(error));
}

/** C1 and DEL (U+009B begins a command as ESC [ does), what turns the direction of writing, what nobody sees, breaks of lines that are none. */
const INVISIBLE = /[\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
/** The same, and C0 but for tab and line feed. */
const STEERING =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text that others wrote (titles, paths, output), for a terminal: what would steer it, or hide what stands there, is shown as its escape. */
export const harmless = (text: string): string => text.replace(STEERING, escaped);

/** A line of JSON that says the same, fit for a terminal; C0 is escaped in JSON already. */
export const harmlessJson = (line: string): string => line.replace(INVISIBLE, escaped);
