import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { childEnvironment } from './run-process.ts';

/** Where a program is that a child process would run: on PATH, or, named by a path, from the folder it runs in. null: nowhere. */
export async function findExecutable(name: string, folder: string): Promise<string | null> {
  const paths = name.includes('/')
    ? [isAbsolute(name) ? name : resolve(folder, name)]
    : (childEnvironment()['PATH'] ?? '').split(delimiter).map((entry) => join(entry, name));
  for (const path of paths) if (await isExecutable(path)) return path;
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
