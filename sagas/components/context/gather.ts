import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { artefact, type ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { timeoutSignal } from '@workledger/shared/resilience/timeout-signal.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import type { CodeAttempt } from '../code/code-component.ts';
import type { Mirror } from '../git/mirror.ts';
import { ask, type Meaning, type Wanted } from './ask.ts';
import { openLibrary, type Library } from './library.ts';
import type { Packed } from './pack.ts';

export const gatheredSchema = z.object({
  /** What is told; null: nothing was found, or nothing fits. */
  context: artefact.nullable(),
  tokens: z.number(),
  /** Paths of which something is shown, the most telling first. */
  files: z.array(z.string()),
});
type Gathered = z.infer<typeof gatheredSchema>;

/** Repositories whose index is held in memory, and milliseconds after which one that nobody asks is let go. */
const MOST_LIBRARIES = 3;
const IDLE_MILLISECONDS = 600_000;
const libraries = new LRUCache<string, Promise<Library>>({
  max: MOST_LIBRARIES,
  ttl: IDLE_MILLISECONDS,
  ttlAutopurge: false,
});
const MOST_ANSWERS = 100;
const answers = new LRUCache<string, Packed>({ max: MOST_ANSWERS });

type Asked = { readonly taskId: string; readonly commit: string; readonly tokens: number };

/** @returns what is told, and what is recorded of it; the mirror has the commit */
async function gatherContext(
  { mirror, environment, signal, secrets }: Pick<CodeAttempt, 'mirror' | 'environment' | 'signal' | 'secrets'>,
  { taskId, commit, tokens }: Asked,
): Promise<{ readonly text: string; readonly gathered: Gathered }> {
  const { title, description } = await environment.readTask(taskId);
  const { embeddings = null, logger } = environment;
  const onFailed = (error: unknown): void =>
    logger.warn({ taskId, reason: oneLine(error) }, 'cannot tell what files mean: they are found by their words');
  const meaning = embeddings && { embeddings, onFailed };
  const wanted = { title: secrets.text(title), description: secrets.text(description), commit, tokens };
  const packed = await packContext(mirror, wanted, { signal, meaning });
  const text = secrets.text(packed.text);
  const context =
    text === '' ? null : await environment.artefacts.put(Buffer.from(text), 'text/markdown; charset=utf-8');
  return { text, gathered: { context, tokens: packed.tokens, files: [...packed.files] } };
}

const PATIENCE_MILLISECONDS = 60_000;

/**
 * What a prompt tells of the code, as the repository's configuration asks for it, and what a result records of that. Work goes on without
 * where it cannot be found out, or not in time: an agent can look for itself.
 */
export async function gatheredForPrompt(
  code: Pick<CodeAttempt, 'mirror' | 'environment' | 'signal' | 'secrets' | 'repository'>,
  { taskId, commit }: Omit<Asked, 'tokens'>,
): Promise<{
  readonly text: string | null;
  readonly told: { context?: ArtefactReference; gathered?: Omit<Gathered, 'context'> };
}> {
  const { tokens } = code.repository.context;
  const nothing = { text: null, told: {} };
  if (tokens === 0) return nothing;
  const signal = AbortSignal.any([code.signal, timeoutSignal(PATIENCE_MILLISECONDS)]);
  try {
    const { text, gathered } = await gatherContext({ ...code, signal }, { taskId, commit, tokens });
    const { context, ...about } = gathered;
    return context === null ? nothing : { text, told: { context, gathered: about } };
  } catch (error) {
    code.signal.throwIfAborted();
    code.environment.logger.warn({ taskId, reason: oneLine(error) }, 'cannot tell the agent of the code: it goes on');
    return nothing;
  }
}

async function packContext(
  mirror: Mirror,
  wanted: Wanted,
  { signal, meaning }: { readonly signal: AbortSignal; readonly meaning: Meaning | null },
): Promise<Packed> {
  const { gitFolder } = mirror;
  const key = createHash('sha256')
    .update(JSON.stringify([gitFolder, wanted, meaning?.embeddings.model ?? null]))
    .digest('hex');
  const known = answers.get(key);
  if (known !== undefined) return known;
  let isWhole = true;
  const told = meaning && {
    ...meaning,
    onFailed: (error: unknown): void => {
      isWhole = false;
      meaning.onFailed(error);
    },
  };
  const packed = await ask(await libraryOf(mirror), wanted, { gitFolder, signal }, told);
  // Whoever asks when meaning can be had again is told more.
  if (isWhole) answers.set(key, packed);
  return packed;
}

function libraryOf({ gitFolder }: Mirror): Promise<Library> {
  const found = libraries.get(gitFolder);
  if (found !== undefined) return found;
  const opened = openLibrary(gitFolder, join(dirname(gitFolder), 'context.jsonl'));
  libraries.set(gitFolder, opened);
  return opened;
}
