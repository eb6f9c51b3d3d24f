import { content } from '@workledger/shared/contexts/sync/configuration/events.ts';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { chatRequest } from '../components/models/providers.ts';
import { CHUNK_BYTES, MAX_ARTEFACT_BYTES } from '@workledger/shared/artefacts/port.ts';
import {
  agentTold,
  artefact,
  cost,
  failure,
  fault,
  type ArtefactReference,
} from '@workledger/shared/contexts/values.ts';

/**
 * What sagas and runners send one another: frames. A frame is a line of JSON; that of an artefact is followed by its bytes, as many as
 * it says. A request is one `call` and the artefacts that it names; an answer any number of `alive`, of notes (where they
 * were asked for), of artefacts that the component keeps and of `ask` (where the call names models, or git is about to call the origin:
 * sagas ask, and send what they are told to `ANSWERS_PATH`), and one of `result`, `failure` and `stopped` as its last.
 */
export const FRAMES = 'application/vnd.workledger.frames';
export const CALLS_PATH = '/calls';
export const STOP_PATH = '/calls/stop';
export const ANSWERS_PATH = '/calls/answers';
/** Who asks so understands `note` frames; whoever does not know the header leaves it out, and them. */
export const NOTES_HEADER = 'x-workledger-notes';
/** Who asks so has tokens for git, and may be asked for them; without the header git has what the runner's machine has. */
export const GIT_HEADER = 'x-workledger-git';

/** Bytes of one line: an event, in which requests and results are kept, has a fourth of it. */
export const MAX_LINE_BYTES = 1_048_576;
/** Bytes of the artefacts of one request, all together. */
export const MAX_REQUEST_ARTEFACTS = MAX_ARTEFACT_BYTES;
/** Artefacts that one call may keep. */
export const MOST_ARTEFACTS = 100;

/** Names a call for good: stable over retries. */
export const callKey = z.string().min(1).max(1_000);

export const callFrame = z.strictObject({
  frame: z.literal('call'),
  component: z.string().min(1).max(100),
  key: callKey,
  request: z.looseObject({ taskId: z.string(), runId: z.string(), repository: z.string() }),
  /** The words of the task that it is about. */
  task: z.strictObject({ title: z.string(), description: z.string(), words: z.string().nullable().default(null) }),
  /** The models that it may ask, as the configuration and as their endpoints name them. Missing where sagas of the version before call. */
  models: z.array(z.strictObject({ name: z.string(), id: z.string() })).default([]),
  /** What computes what texts mean; null: nothing does. */
  embeddings: z
    .strictObject({ model: z.string(), dimensions: z.int().min(1), batch: z.int().min(1) })
    .nullable()
    .default(null),
  /** What the API has set, at the revision that the run goes by: it lies over the runner's own file. Missing: nothing. */
  set: z.strictObject({ revision: z.int(), content }).optional(),
});
export type CallFrame = z.infer<typeof callFrame>;

const artefactFrame = artefact.extend({
  frame: z.literal('artefact'),
  size: z.int().min(0).max(MAX_ARTEFACT_BYTES),
});

export const requestFrame = z.discriminatedUnion('frame', [callFrame, artefactFrame]);

const lastFrame = z.discriminatedUnion('frame', [
  z.strictObject({ frame: z.literal('result'), result: z.unknown() }),
  z.strictObject({
    frame: z.literal('failure'),
    failure,
    retryable: z.boolean(),
    fault,
    /** Missing where a runner of the version before answers. */
    until: z.iso.datetime().nullable().default(null),
    costUsd: cost,
    prompt: artefact.nullable(),
    agent: agentTold.optional(),
  }),
  /** The runner stops: nothing came of the call, and nobody is to blame. */
  z.strictObject({ frame: z.literal('stopped') }),
]);
export type LastFrame = z.infer<typeof lastFrame>;

/** How far the work is. What is wrong with one does not fail the call. */
const noteFrame = z.looseObject({
  frame: z.literal('note'),
  text: z.string().catch(''),
  percent: z.number().min(0).max(100).nullable().catch(null),
});

/** What is asked about models. Who pays for it, sagas know. */
const askedOfModels = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('chat'),
    model: z.string(),
    request: chatRequest,
    scope: z.string().max(1_000),
    number: z.int().min(0),
    /** Not believed: sagas know what they gave out. */
    budgetUsd: z.number().nullable(),
    mayReuse: z.boolean(),
    together: z.string().nullable(),
  }),
  /** `own`: what this call alone paid of it. */
  z.strictObject({ what: z.literal('spent'), scope: z.string().max(1_000), own: z.boolean() }),
  z.strictObject({ what: z.literal('embed'), texts: z.array(z.string()).max(2_048), timeoutMs: z.int().nullable() }),
]);
export type AskedOfModels = z.infer<typeof askedOfModels>;

/** What git is let in by at this address, if it is that of the call's own repository. */
const askedForGit = z.strictObject({
  what: z.literal('git-token'),
  url: z.string().max(4_000),
  /** What no longer does. */
  refused: z.string().max(10_000).nullable(),
});
export type AskedForGit = z.infer<typeof askedForGit>;

const asked = z.discriminatedUnion('what', [askedOfModels, askedForGit]);
export type Asked = z.infer<typeof asked>;

const askFrame = z.strictObject({ frame: z.literal('ask'), ask: z.int().min(1), asked });

const used = { inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number() };
const saidOfModels = z.discriminatedUnion('said', [
  z.strictObject({ said: z.literal('answer'), answer: z.strictObject({ text: z.string(), ...used }) }),
  z.strictObject({ said: z.literal('spent'), spent: z.strictObject({ calls: z.number(), ...used }) }),
  z.strictObject({
    said: z.literal('embeddings'),
    /** Bytes as base64. */
    embeddings: z.array(z.strictObject({ vector: z.base64(), scale: z.number() })),
  }),
  z.strictObject({
    said: z.literal('failure'),
    /** Of the errors that whoever asks tells apart. */
    name: z.enum([
      'BudgetSpent',
      'ModelRefused',
      'LimitReached',
      'TargetAway',
      'NotAllowed',
      'EmbeddingsFailed',
      'other',
    ]),
    message: z.string(),
    status: z.int().optional(),
    until: z.iso.datetime().optional(),
  }),
]);
export type SaidOfModels = z.infer<typeof saidOfModels>;

const saidForGit = z.discriminatedUnion('said', [
  z.strictObject({ said: z.literal('git-token'), token: z.string().nullable() }),
  z.strictObject({
    said: z.literal('no-git-token'),
    reason: z.string(),
    retryable: z.boolean(),
    fault,
    until: z.iso.datetime().nullable(),
  }),
]);
export type SaidForGit = z.infer<typeof saidForGit>;

const said = z.discriminatedUnion('said', [saidOfModels, saidForGit]);
export type Said = z.infer<typeof said>;
export const answerToAsked = z.strictObject({ key: callKey, ask: z.int().min(1), said });

export const answerFrame = z.discriminatedUnion('frame', [
  z.strictObject({ frame: z.literal('alive') }),
  askFrame,
  noteFrame,
  artefactFrame,
  lastFrame,
]);

/** What came is none of these frames, or not the bytes that it says. */
export class BadFrames extends Error {
  override name = 'BadFrames';
}

export type AnyFrame = { readonly frame: string; readonly [field: string]: unknown };

/** A frame as chunks. Bytes are not copied. @throws BadFrames when its line is too long to be read */
export function* encodeFrame(header: AnyFrame, bytes?: Uint8Array): Generator<Uint8Array> {
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  if (line.length > MAX_LINE_BYTES)
    throw new BadFrames(`a ${header.frame} of ${line.length} bytes: at most ${MAX_LINE_BYTES} are sent`);
  yield line;
  for (let at = 0; at < (bytes?.length ?? 0); at += CHUNK_BYTES) yield bytes!.subarray(at, at + CHUNK_BYTES);
}

export const referenceTo = (bytes: Uint8Array, mediaType: string): ArtefactReference => ({
  digest: createHash('sha256').update(bytes).digest('hex'),
  size: bytes.byteLength,
  mediaType,
});

/** A frame as it was read; `bytes` are those of an artefact, and have its digest. */
export type Frame<Header> = { readonly header: Header; readonly bytes: Uint8Array };

const NO_BYTES = new Uint8Array();

/**
 * Reads frames, no further than they are asked for. The bytes of an artefact are held once.
 * @throws BadFrames for what the schema does not know, for other bytes than announced, and for an end in the middle
 */
export async function* readFrames<Header extends { readonly frame: string }>(
  chunks: AsyncIterable<Uint8Array>,
  schema: z.ZodType<Header>,
): AsyncGenerator<Frame<Header>> {
  const source = createSource(chunks);
  for (;;) {
    const line = await source.line();
    if (line === null) return;
    const read = schema.safeParse(parse(line));
    if (!read.success) throw new BadFrames(`a frame is not known: ${z.prettifyError(read.error)}`);
    const header = read.data;
    const bytes = isArtefact(header) ? await source.bytes(header.size) : NO_BYTES;
    if (isArtefact(header) && referenceTo(bytes, header.mediaType).digest !== header.digest)
      throw new BadFrames(`the bytes of artefact ${header.digest} have another digest`);
    yield { header, bytes };
  }
}

const isArtefact = (header: { readonly frame: string }): header is z.infer<typeof artefactFrame> =>
  header.frame === 'artefact';

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8')) as unknown;
  } catch {
    throw new BadFrames('a line is no JSON');
  }
}

const NEW_LINE = 10;

/** Takes lines and runs of bytes from chunks, which end anywhere. */
function createSource(chunks: AsyncIterable<Uint8Array>) {
  const reader = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = NO_BYTES;

  async function more(): Promise<boolean> {
    const next = await reader.next();
    if (next.done === true) return false;
    rest = next.value;
    return true;
  }

  return {
    /** @returns null at the end */
    line: async (): Promise<Buffer | null> => {
      const parts: Uint8Array[] = [];
      for (let length = 0; ;) {
        const end = rest.indexOf(NEW_LINE);
        const part = end === -1 ? rest : rest.subarray(0, end);
        length += part.length;
        if (length >= MAX_LINE_BYTES) throw new BadFrames(`a line of more than ${MAX_LINE_BYTES} bytes`);
        parts.push(part);
        rest = end === -1 ? NO_BYTES : rest.subarray(end + 1);
        if (end !== -1) return Buffer.concat(parts);
        if (await more()) continue;
        if (length > 0) throw new BadFrames('it ends in the middle of a line');
        return null;
      }
    },
    bytes: async (size: number): Promise<Uint8Array> => {
      if (rest.length >= size) {
        const whole = rest.subarray(0, size);
        rest = rest.subarray(size);
        return whole;
      }
      const whole = Buffer.allocUnsafeSlow(size);
      for (let filled = 0; ;) {
        const part = rest.subarray(0, size - filled);
        whole.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
        if (filled === size) return whole;
        if (!(await more())) throw new BadFrames(`it ends ${size - filled} bytes before the end of an artefact`);
      }
    },
  };
}

/** Every artefact that a value names, wherever in it; each once. */
export function referencesIn(value: unknown): ArtefactReference[] {
  const found = new Map<string, ArtefactReference>();
  const look = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    const reference = artefact.safeParse(part);
    if (reference.success) found.set(reference.data.digest, reference.data);
    else Object.values(part).forEach(look);
  };
  look(value);
  return [...found.values()];
}
