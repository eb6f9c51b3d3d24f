import { createHash } from 'node:crypto';
import type { Command } from '../commands/port.ts';
import { canonicalJson } from './canonical-json.ts';

/** SHA-256 (hex) of what a command says: tells a repeat from another request under the same key. */
export const commandHash = ({ type, target, data }: Command): string =>
  createHash('sha256').update(canonicalJson({ type, target, data })).digest('hex');
