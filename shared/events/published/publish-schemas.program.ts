import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { publishedSchemas } from './json-schemas.ts';

// npm run publish:schemas [-- --rewrite]: after each change of the catalogue. What others rely on is not changed by accident.
const { rewrite } = parseArgs({ options: { rewrite: { type: 'boolean', default: false } } }).values;

for (const { file, schema } of publishedSchemas()) {
  const path = fileURLToPath(new URL(`./schemas/${file}`, import.meta.url));
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  const published = await readFile(path, 'utf8').catch(() => null);
  if (published === text) continue;
  if (published !== null && !rewrite) {
    process.stderr.write(
      `${file} would change, and others rely on it: give the event a new version with an upcaster in the catalogue; ` +
        'only where nobody has seen it yet: npm run publish:schemas -- --rewrite\n',
    );
    process.exitCode = 1;
    continue;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  process.stdout.write(`${published === null ? 'written' : 'rewritten'}: ${file}\n`);
}
