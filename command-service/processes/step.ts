import type { HandlingContext } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import type { z } from 'zod';

/** The context of a command that is being carried out: its id and hash are settled. */
export type StepContext = HandlingContext & { readonly commandId: string; readonly commandHash: string };

/**
 * The context of one step of a command that touches several streams: the same command takes the same steps under the same
 * ids. If-Match speaks of the command's own aggregate, so a step does not carry it on.
 */
export function step(context: StepContext, ...names: readonly string[]): StepContext {
  const { expectedRevision: _ownRevision, ...rest } = context;
  return { ...rest, commandId: stepId(context, ...names) };
}

export const stepId = (context: StepContext, ...names: readonly string[]): string =>
  derivedId('command', context.commandId, ...names);

/** The consistency token of all streams that a command changed. */
export const joinTokens = (...answers: readonly Pick<CommandAnswer, 'token'>[]): string =>
  [...new Set(answers.flatMap(({ token }) => (token === '' ? [] : token.split(','))))].join(',');

/** A command that touched no stream: the aggregate as it stands. */
export const unchanged = (
  id: string,
  { stream, revision }: { readonly stream: string; readonly revision: number },
  details: CommandAnswer['details'] = {},
): CommandAnswer => ({ id, stream, revision, token: revision < 0 ? '' : `${stream}@${revision}`, details });

/** Data of a command, defaults filled in. @throws CommandRefused `invalid-command` that names every wrong field */
export function parseData<Schema extends z.ZodType>(schema: Schema, data: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: pathOf([...issue.path, key]), message: 'unknown field' }))
      : [{ path: pathOf(issue.path), message: issue.message }],
  );
  return refuse('invalid-command', errors.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors });
}

const pathOf = (path: readonly PropertyKey[]): string => path.map(String).join('.');
