import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { standingConfiguration, webhookSecret } from '../../local/demo/configuration.ts';
import { createBareOrigin } from '../repository/git.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../repository/shell-repository.ts';
import { startFakeGitea, type FakeGitea } from './fake-gitea.ts';
import { installGiteaPlugin } from './install-plugin.ts';

export const SHOP = 'acme/shop';
export const GITEA = { webhook: 'a secret of the distributed Gitea', token: 'a token of the distributed Gitea' };

/** A middleware that says what it was asked. */
const MARKER = {
  'plugin.mjs': `export default () => ({ middleware: { mark: {
    whenFailing: 'refuse', before: ({ method, path }) => ({ headers: { 'X-Marked': method + ' ' + path } }) } } });`,
  'workledger-plugin.json': JSON.stringify({
    ...{ name: 'marker', version: '1.0.0', interface: 1, description: 'Marks answers', main: 'plugin.mjs' },
    provides: { middleware: ['mark'] },
  }),
};

/**
 * A Gitea, and a `workledger.json` in the folder: what the demo needs to play in a system that runs on, and beside it plugins, and a
 * repository that lies on that Gitea.
 * @param demoFolder absolute: where the demo's repositories are
 */
export async function startGiteaBesideDemo(folder: string, demoFolder: string): Promise<FakeGitea> {
  createShellRepository(join(folder, 'person'));
  const url = createBareOrigin(join(folder, 'person'));
  const gitea = await startFakeGitea({ origins: { [SHOP]: url }, token: GITEA.token });
  await mkdir(join(folder, 'marker'));
  for (const [name, text] of Object.entries(MARKER)) await writeFile(join(folder, 'marker', name), text);
  await webhookSecret(demoFolder);
  const { webhooks, agents, repositories } = standingConfiguration(demoFolder);
  const onGitea = { ...shellRegistration, url, trusted: ['gitea:ada'], capabilities: ['greeting'] };
  const names = { [shellRegistration.name]: SHOP };
  const configuration = {
    ...{ webhooks, outbound: { privateHosts: [gitea.host] } },
    agents: [...agents, scriptAgent('greeting', writeRightGreet)],
    repositories: [...repositories, onGitea],
    plugins: [
      await installGiteaPlugin(folder, { url: gitea.url, secrets: GITEA, repositories: names }),
      { from: './marker' },
    ],
  };
  await writeFile(join(folder, 'workledger.json'), JSON.stringify(configuration));
  return gitea;
}
