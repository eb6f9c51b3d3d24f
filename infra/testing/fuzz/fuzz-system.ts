import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemFolder } from '../processes/folder.ts';
import { startInFolder } from '../system/in-folder.ts';
import { fuzzApi, type Fuzz } from './schemathesis.ts';

/** Starts the embedded system in a folder of its own, fuzzes its API, and ends it. @returns as `fuzzApi` */
export async function fuzzSystem(
  program: string,
  asked: Omit<Fuzz, 'url' | 'keys' | 'folder'>,
): ReturnType<typeof fuzzApi> {
  const folder = await systemFolder();
  try {
    const { url, key, client, stop } = await startInFolder(folder.path, { logLevel: 'error' });
    try {
      const made = await client.expect2xx('POST', '/keys', { body: { name: 'fuzz', role: 'service' } });
      const written = join(folder.path, 'fuzz');
      await mkdir(written);
      const keys = { admin: key, service: String(made.body['key']) };
      return await fuzzApi(program, { ...asked, url, keys, folder: written });
    } finally {
      await stop();
    }
  } finally {
    await folder.remove();
  }
}
