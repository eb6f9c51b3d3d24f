import { z } from 'zod';

/** A command as a list: executable and arguments. There is no shell. */
export const command = z.array(z.string().min(1)).min(1).describe('executable and arguments; run without a shell');
const seconds = z.number().positive().max(86_400);

export const limits = z.strictObject({
  timeoutSeconds: seconds.default(900).describe('the whole process group is killed after this time'),
  maxOutputBytes: z
    .int()
    .min(1_024)
    .max(100_000_000)
    .default(5_000_000)
    .describe('output kept; the rest is dropped and said so'),
  memoryBytes: z
    .int()
    .min(16 * 1_024 ** 2)
    .nullable()
    .default(4 * 1_024 ** 3)
    .describe('memory of all processes together; null: no limit'),
  processes: z
    .int()
    .min(4)
    .nullable()
    .default(1_024)
    .describe('processes at once, and threads where a cgroup counts them; null: no limit'),
  diskBytes: z
    .int()
    .min(1_024 ** 2)
    .nullable()
    .default(10 * 1_024 ** 3)
    .describe('what it leaves on the disk in the folders that it may write; null: no limit'),
  cpuSeconds: z.number().positive().nullable().default(null).describe('CPU time of all processes; null: no limit'),
});

const path = z.string().min(1);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);
export const variables = z.array(variable).default([]);
const host = z
  .string()
  .regex(
    /^((\*\.)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[1-9]\d{0,4})?$/,
    'name, *.name, name:port or [address]:port',
  );

/** What a sandbox opens beside the worktree. */
export const access = {
  allowHosts: z
    .array(host)
    .default([])
    .describe('hosts that may be reached, by name or *.name, with a port or any; "workledger" is its own API'),
  read: z
    .array(path)
    .default([])
    .describe('paths that are seen read-only: absolute, relative to this file, or ~/… of whoever runs Workledger'),
  write: z.array(path).default([]).describe('paths that may also be written; named as in read'),
};
