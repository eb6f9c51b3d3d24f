import { writeFile } from 'node:fs/promises';
import { configurationJsonSchema } from './schema.ts';

// node --import tsx shared/config/publish-json-schema.program.ts, then npm run fix: after each change of schema.ts.
await writeFile(
  new URL('./configuration.schema.json', import.meta.url),
  `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`,
);
