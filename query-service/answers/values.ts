import { z } from 'zod';

export const id = z.uuid();
export const revision = z.int().min(0).describe('revision of its stream, also the ETag');
export const time = z.iso.datetime({ offset: true });
export const failure = z.looseObject({ step: z.string(), reason: z.string() }).nullable();
