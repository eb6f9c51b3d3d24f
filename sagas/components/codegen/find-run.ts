import { z } from 'zod';
import { runSchema, type Codegen, type CodegenRun } from './codegen.ts';

/** The field of a run's metadata that names it as ours. */
const MARKER = 'workledger';
/** Runs of one answer, newest first, and answers that are looked through for one that was begun a moment ago. */
const PAGE = 100;
const PAGES = 3;

export const metadataOf = (marker: string): Readonly<Record<string, string>> => ({ [MARKER]: marker });

const page = z.looseObject({ items: z.array(runSchema) });

/** The run that was begun under this name; null: none was. @throws what `ask` throws */
export async function findRun(codegen: Codegen, marker: string, signal: AbortSignal): Promise<CodegenRun | null> {
  for (let at = 0; at < PAGES; at++) {
    const path = `/agent/runs?source_type=API&skip=${at * PAGE}&limit=${PAGE}`;
    const { items } = await codegen.ask({ method: 'GET', path }, page, signal);
    const found = items.find(({ metadata }) => metadata?.[MARKER] === marker);
    if (found !== undefined) return found;
    if (items.length < PAGE) return null;
  }
  return null;
}

const OVER: Readonly<Record<string, 'good' | 'bad'>> = {
  ...{ COMPLETE: 'good', COMPLETED: 'good' },
  ...{ ERROR: 'bad', FAILED: 'bad', CANCELLED: 'bad', STOPPED: 'bad', TIMEOUT: 'bad' },
  ...{ MAX_ITERATIONS_REACHED: 'bad', OUT_OF_TOKENS: 'bad' },
};
const RUNNING: ReadonlySet<string> = new Set(['PENDING', 'ACTIVE', 'RUNNING', 'EVALUATION']);

/** How a run stands. Its states are named nowhere: what nobody knows is taken for one that goes on. */
export function standingOf({ status }: CodegenRun): { is: 'good' | 'bad' | 'under way'; name: string; known: boolean } {
  const name = (status ?? 'PENDING').trim().toUpperCase().slice(0, 60);
  const is = Object.hasOwn(OVER, name) ? OVER[name] : undefined;
  return { is: is ?? 'under way', name, known: is !== undefined || RUNNING.has(name) };
}
