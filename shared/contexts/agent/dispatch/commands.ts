import { z } from 'zod';
import { defineCommands, participants, workers } from '../../define-commands.ts';
import { participant } from '../../participant.ts';
import { text, uuid, word } from '../../text.ts';
import { digest, guarantee, MOST_TARGETS } from './events.ts';

const KIBIBYTES_64 = 65_536;
const HALF_A_DAY = 43_200;

const team = text(105, 6)
  .refine((value) => value.startsWith('team:'), 'agent:<uuid>, user:<uuid>, key:<uuid> or team:<name>')
  .meta({ pattern: String.raw`^team:[^\u0000]+$` });

/** Whom a dispatch is for: one, or whoever of a team asks first. */
const target = z.union([participant, team]);

export const visibilitySeconds = z.int().min(1).max(HALF_A_DAY);

export const dispatchCommands = defineCommands({
  'dispatch.send': {
    data: z.strictObject({
      type: z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9._-]{0,99}$/, '1 to 100 letters, digits and . _ -, a letter first')
        .describe('any name; that of a registered message type: the payload is judged by its schema'),
      payload: z.unknown().describe(`any JSON, at most ${KIBIBYTES_64} bytes`),
      version: z.int().min(1).max(1_000_000).default(1).describe('of the type, as the sender counts'),
      sourceService: word.nullable().default(null).describe('what the sender calls itself'),
      targets: z.array(target).min(1).max(MOST_TARGETS),
      guarantee,
      expiresAt: z.iso.datetime({ offset: true }).nullable().default(null),
      repository: text(200, 1).nullable().default(null),
    }),
    roles: workers,
    creates: true,
    alone: true,
  },
  'dispatch.hand': {
    data: z.strictObject({ deliveryId: uuid, visibilitySeconds }),
    roles: participants,
    alone: true,
  },
  'dispatch.acknowledge': {
    data: z.strictObject({
      deliveryId: uuid,
      digest: digest.describe('SHA-256 (hex) of what was received: its payload as canonical JSON'),
    }),
    roles: participants,
    alone: true,
  },
  'dispatch.reject': {
    data: z.strictObject({
      deliveryId: uuid,
      number: z.int().min(1).describe('which handing over is rejected'),
      reason: text(1_000, 1),
      again: z
        .boolean()
        .default(false)
        .describe('true: it was not carried out, and may be handed out again; false: for good'),
    }),
    roles: participants,
    alone: true,
  },
  'dispatch.settle': { data: z.strictObject({}), sentBy: ['command-service'] },
});
