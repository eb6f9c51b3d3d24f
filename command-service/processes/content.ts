import { createContext, Script } from 'node:vm';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { refuse } from '@workledger/shared/commands/refusal.ts';

/** Bytes of a schema as JSON text, and of a content. */
const MOST_SCHEMA_BYTES = 16 * 1024;
const MOST_CONTENT_BYTES = 64 * 1024;
const MOST_DEPTH = 32;
const MOST_PATTERN = 200;
/** Milliseconds for one compilation, and for one look at a content: all else stands still meanwhile. */
const COMPILE_TIMEOUT = 1_000;
const CHECK_TIMEOUT = 250;
const MOST_KEPT = 100;
const MOST_ERRORS = 20;

type Schema = Readonly<Record<string, unknown>>;

/** Whether a schema is one that contents can be judged by: small, whole in itself, and quick to follow. @throws CommandRefused `out-of-range` */
export function checkSchema(schema: Schema): void {
  if (Buffer.byteLength(JSON.stringify(schema)) > MOST_SCHEMA_BYTES)
    unfitSchema('schema', `a schema has at most ${MOST_SCHEMA_BYTES} bytes`);
  walk(schema, 'schema', 1);
  try {
    compile(schema);
  } catch (error) {
    unfitSchema('schema', error instanceof Error ? error.message.slice(0, 300) : 'it is no JSON Schema');
  }
}

/** @param type its key tells one version of a type from all others @param text the content as JSON @throws CommandRefused `invalid-content` */
export function checkContent(
  { key, schema }: { readonly key: string; readonly schema: Schema },
  content: unknown,
  text: string,
): void {
  if (Buffer.byteLength(text) > MOST_CONTENT_BYTES)
    refuse('too-large', `content has at most ${MOST_CONTENT_BYTES} bytes as JSON`);
  if (text.includes('\\u0000') || depthOf(content) > MOST_DEPTH)
    unfit([{ path: 'content', message: `no U+0000, and at most ${MOST_DEPTH} levels` }]);
  const validate = compiled(key, schema);
  let fits: unknown;
  try {
    fits = within(CHECK_TIMEOUT, () => validate(content));
  } catch {
    unfit([{ path: 'content', message: 'it takes too long to judge it by its schema' }]);
  }
  if (fits === true) return;
  unfit(
    (validate.errors ?? []).slice(0, MOST_ERRORS).map(({ instancePath, message = 'does not fit' }) => ({
      path: `content${instancePath.replaceAll('/', '.')}`.slice(0, 300),
      message: message.slice(0, 300),
    })),
  );
}

const unfit = (errors: readonly { readonly path: string; readonly message: string }[]): never =>
  refuse('invalid-content', errors.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors });

const unfitSchema = (path: string, message: string): never =>
  refuse('out-of-range', message, { errors: [{ path, message }] });

const kept = new Map<string, ValidateFunction>();

function compiled(key: string, schema: Schema): ValidateFunction {
  const known = kept.get(key) ?? compile(schema);
  kept.delete(key);
  kept.set(key, known);
  const [oldest] = kept.size > MOST_KEPT ? kept.keys() : [];
  if (oldest !== undefined) kept.delete(oldest);
  return known;
}

/** An Ajv of its own for each: no schema can refer to another one. Words that it does not know, formats among them, say nothing. */
const compile = (schema: Schema): ValidateFunction =>
  within(COMPILE_TIMEOUT, () =>
    new Ajv2020({ strict: false, validateFormats: false, inlineRefs: false, logger: false }).compile(schema),
  );

const bounded = createContext({});
const call = new Script('run()');

/** A machine with too much to do gives us a part of the time alone: so many times as long we wait, and twice as long each time. */
const MOST_PATIENCE = 8;

/** Ends it when its time is over, wherever it is: also within a regular expression. What counts is the time in which it really ran. */
function within<Result>(milliseconds: number, run: () => Result): Result {
  bounded['run'] = run;
  try {
    for (let timeout = milliseconds; ; timeout *= 2) {
      const before = process.cpuUsage();
      try {
        return call.runInContext(bounded, { timeout }) as Result;
      } catch (error) {
        const { user, system } = process.cpuUsage(before);
        const hasRun = (user + system) / 1_000 >= milliseconds / 2;
        if (!isTimeout(error) || hasRun || timeout >= MOST_PATIENCE * milliseconds) throw error;
      }
    }
  } finally {
    delete bounded['run'];
  }
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';

const REFERENCES = new Set(['$ref', '$dynamicRef']);

/** What is said in a schema that would reach out of it, or take long. */
function walk(value: unknown, path: string, depth: number): void {
  if (depth > MOST_DEPTH) unfitSchema(path, `a schema has at most ${MOST_DEPTH} levels`);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    const place = `${path}.${name}`.slice(0, 300);
    if (REFERENCES.has(name) && typeof inner === 'string' && !inner.startsWith('#'))
      unfitSchema(place, 'a schema refers to its own parts only: #/$defs/…');
    if (name === '$schema' && typeof inner === 'string' && !inner.startsWith(DRAFT))
      unfitSchema(place, `use ${DRAFT}, or leave it out`);
    if (name === '$id' && typeof inner === 'string')
      unfitSchema(place, 'leave it out: the name of the type is its name');
    if (name === 'pattern' && typeof inner === 'string') checkPattern(inner, place);
    if (name === 'patternProperties' && typeof inner === 'object' && inner !== null)
      for (const pattern of Object.keys(inner as object)) checkPattern(pattern, place);
    walk(inner, place, depth + 1);
  }
}
const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/** What a repeated group holds is not repeated itself: `(a+)+` would take for ever. References back and looks around are refused, too. */
function checkPattern(pattern: string, place: string): void {
  if (pattern.length > MOST_PATTERN) unfitSchema(place, `a pattern has at most ${MOST_PATTERN} characters`);
  /** Of each group that is open: whether it holds what may not be repeated. */
  const open: boolean[] = [];
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    if (/^\\(?:[1-9]|k<)/.test(rest)) unfitSchema(place, 'a pattern refers to nothing back');
    if (/^\(\?(?!:)/.test(rest) && !inClass) unfitSchema(place, 'a pattern does not look around, and names no group');
    const letter = pattern[at];
    if (letter === '\\') at++;
    else if (inClass) inClass = letter !== ']';
    else if (letter === '[') inClass = true;
    else if (letter === '(') {
      open.fill(true);
      open.push(false);
    } else if (letter === ')') {
      const isHeavy = open.pop() === true;
      if (isHeavy && /^\)[*+{]/.test(rest))
        unfitSchema(place, 'a repeated group holds no repetition, no choice and no group');
    } else if (letter !== undefined && '*+{|'.includes(letter) && open.length > 0) open[open.length - 1] = true;
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let deepest = 0;
  for (const inner of Object.values(value)) deepest = Math.max(deepest, depthOf(inner));
  return deepest + 1;
}
