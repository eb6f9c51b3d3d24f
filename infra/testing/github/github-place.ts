import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBareOrigin } from '../repository/git.ts';
import { createShellRepository } from '../repository/shell-repository.ts';
import { REPOSITORY, SECRET } from '../system/github.ts';
import { startFakeGithub } from './fake-github.ts';
import { standsFor } from './git-branches.ts';

/**
 * A GitHub whose one repository stands for an origin, which a person began; its token, an App's key, and the secret of its webhooks, are files in the
 * folder of the system that is to speak to it.
 * @param begin makes the person's repository; default: one of shell scripts
 */
export async function startGithubPlace(folder: string, begin: (person: string) => unknown = createShellRepository) {
  const person = join(folder, 'person');
  begin(person);
  const origin = createBareOrigin(person);
  const fake = await startFakeGithub();
  await writeFile(join(folder, 'token'), fake.token);
  await writeFile(join(folder, 'app.pem'), fake.privateKey);
  await writeFile(join(folder, 'secret'), SECRET);
  const repository = fake.addRepository(REPOSITORY);
  Object.assign(repository, standsFor(origin));
  fake.app.installations.set(REPOSITORY.split('/')[0] ?? '', 41);
  return {
    ...{ person, origin, fake, repository },
    /** In place of the token. */
    app: { url: fake.url, app: { id: 7, key: { file: 'app.pem' } } },
    /** Of a configuration, what speaks to it. */
    connection: {
      github: { url: fake.url, token: { file: join(folder, 'token') } },
      outbound: { privateHosts: [fake.host] },
      webhooks: { github: { secrets: [{ file: join(folder, 'secret') }] } },
    },
  };
}
