import { cp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const EXAMPLE = resolve(import.meta.dirname, '../../docs/examples/gitea-plugin');

type Installed = {
  /** Of Gitea. */
  readonly url: string;
  readonly secrets: { readonly webhook: string; readonly token: string };
  /** What Gitea calls each repository, by its name here. */
  readonly repositories: Readonly<Record<string, string>>;
};

/** Puts the example plugin beside a `workledger.json`, as a user would. @returns its part of that file */
export async function installGiteaPlugin(folder: string, { url, secrets, repositories }: Installed) {
  await cp(EXAMPLE, join(folder, 'gitea-plugin'), { recursive: true });
  const files = Object.entries(secrets).map(([name, text]) => ({ name, text, file: `gitea-${name}` }));
  for (const { file, text } of files) await writeFile(join(folder, file), text, { mode: 0o600 });
  return {
    ...{ from: './gitea-plugin', configuration: { url }, repositories },
    secrets: Object.fromEntries(files.map(({ name, file }) => [name, [{ file }]])),
    rules: [{ name: 'gitea-label', label: 'workledger', priority: 2 }],
  };
}
