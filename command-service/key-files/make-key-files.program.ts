import { parseArgs } from 'node:util';
import { readKeyFile } from '@workledger/shared/security/api-key.ts';
import { noMacs, readMacKeys } from '@workledger/shared/security/key-macs.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { fail, keepToOurselves } from '@workledger/shared/service/program.ts';
import { makeKeyFile, makeMacKeyFile } from './key-files.ts';

const HELP = `Makes the files with the keys that a distributed Workledger starts with; what is there already stays as it is.

The MAC key is made first: the keys that are made beside it, or by a file that is there, carry its mark and are known by it at once.

Usage: node --import tsx command-service/key-files/make-key-files.program.ts [options]

  --mac FILE       the MAC key: KEY_MAC_FILE of command-service and of query-service
  --admin FILE     the first administrator's key: ADMIN_KEY_FILE of command-service
  --service FILE   the key that sagas send commands with: SERVICE_KEY_FILE of command-service and of sagas
  --help           this text

The files can be read by the user who runs this only (mode 0600). command-service makes the keys known to the log at its start.
Exit code 0: all files named are there; 1: one cannot be made, or holds no key; 2: wrong usage.
`;

function readFiles(): { readonly mac: string | undefined; readonly keys: readonly string[] } {
  try {
    const options = {
      mac: { type: 'string' },
      admin: { type: 'string' },
      service: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { mac, admin, service, help } = parseArgs({ options, allowPositionals: false }).values;
    if (help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const keys = [admin, service].filter((file) => file !== undefined);
    const files = [...keys, ...(mac === undefined ? [] : [mac])];
    if (files.length === 0) throw new Error('name at least one file');
    if (new Set(files).size < files.length) throw new Error('the keys need a file each');
    if (files.includes('')) throw new Error('the name of a file is empty');
    return { mac, keys };
  } catch (error) {
    process.stderr.write(`${oneLine(error)}\n\n${HELP}`);
    return process.exit(2);
  }
}

async function main(): Promise<void> {
  keepToOurselves();
  const { mac, keys } = readFiles();
  const tell = (file: string, made: boolean): boolean => process.stdout.write(`${made ? 'made' : 'kept'} ${file}\n`);
  if (mac !== undefined) tell(mac, await makeMacKeyFile(mac));
  const macs = mac === undefined ? noMacs : await readMacKeys(mac);
  for (const file of keys) {
    const made = await makeKeyFile(file, macs);
    await readKeyFile(file);
    tell(file, made);
  }
}

main().catch(fail);
