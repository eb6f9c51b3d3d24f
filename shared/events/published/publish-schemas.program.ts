import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { incompatibilities } from './compatibility.ts';
import { publishedSchemas } from './json-schemas.ts';

// npm run publish:schemas [-- --rewrite]: after each change of the catalogue. What others rely on is not changed by accident.
const { rewrite } = parseArgs({ options: { rewrite: { type: 'boolean', default: false } } }).values;

for (const { file, schema } of publishedSchemas()) {
  const path = fileURLToPath(new URL(`./schemas/${file}`, import.meta.url));
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  const published = await readFile(path, 'utf8').catch(() => null);
  if (published === text) continue;
  const before = published === null ? null : (JSON.parse(published) as Readonly<Record<string, unknown>>);
  const reasons = before === null || rewrite ? [] : incompatibilities(before, schema);
  if (reasons.length > 0) {
    process.stderr.write(
      `${file}: others rely on it, and it changed:\n${reasons.map((reason) => `  ${reason}\n`).join('')}` +
        '  Give the event a new version, and its old schema an upcaster (`past`); ' +
        'only where nobody has seen it yet: npm run publish:schemas -- --rewrite\n',
    );
    process.exitCode = 1;
    continue;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  process.stdout.write(`${published === null ? 'written' : 'rewritten'}: ${file}\n`);
}
