import { chown, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { makeKeyFile, makeMacKeyFile } from '@workledger/command-service/key-files/key-files.ts';
import { readMacKeys } from '@workledger/shared/security/key-macs.ts';
import { makeSecretFile } from '@workledger/shared/security/shared-secret.ts';
import { keepToOurselves } from '@workledger/shared/service/program.ts';

const HELP = `Makes what the services of compose need before they start; what is there already stays as it is.

Usage: node infra/docker/set-up.program.ts --mac FILE --admin FILE --service FILE --runner FILE --webhook FILE --owner UID:GID

  --mac FILE       the MAC key that API keys are checked with
  --admin FILE     the first administrator's key
  --service FILE   the key that sagas send commands with
  --runner FILE    the secret that runners share with sagas
  --webhook FILE   the secret that deliveries of the demo are signed with
  --owner UID:GID  whom the files and their folders belong to, where they belong to root
`;

/** Root makes the files for the services, which are not root. */
async function main(): Promise<void> {
  keepToOurselves();
  const text = { type: 'string' } as const;
  const { mac, admin, service, runner, webhook, owner } = parseArgs({
    options: { mac: text, admin: text, service: text, runner: text, webhook: text, owner: text },
  }).values;
  const [, user, group] = /^(\d+):(\d+)$/.exec(owner ?? '') ?? [];
  if (!mac || !admin || !service || !runner || !webhook || user === undefined) throw new Error(HELP);
  const makeMarkedKeyFile = async (file: string): Promise<boolean> => makeKeyFile(file, await readMacKeys(mac));
  for (const [file, make] of [
    [mac, makeMacKeyFile],
    [admin, makeMarkedKeyFile],
    [service, makeMarkedKeyFile],
    [runner, makeSecretFile],
    [webhook, makeSecretFile],
  ] as const) {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    process.stdout.write(`${(await make(file)) ? 'made' : 'kept'} ${file}\n`);
    for (const path of [dirname(file), file])
      if ((await stat(path)).uid === 0) await chown(path, Number(user), Number(group));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
