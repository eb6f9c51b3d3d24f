import { parseArgs } from 'node:util';
import { readKeyFile } from '@workledger/shared/security/api-key.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { fail, keepToOurselves } from '@workledger/shared/service/program.ts';
import { makeKeyFile } from './key-files.ts';

const HELP = `Makes the files with the keys that a distributed Workledger starts with; what is there already stays as it is.

Usage: node --import tsx command-service/key-files/make-key-files.program.ts [options]

  --admin FILE     the first administrator's key: ADMIN_KEY_FILE of command-service
  --service FILE   the key that sagas send commands with: SERVICE_KEY_FILE of command-service and of sagas
  --help           this text

The files can be read by the user who runs this only (mode 0600). command-service makes the keys known to the log at its start.
Exit code 0: all files named are there; 1: one cannot be made, or holds no key; 2: wrong usage.
`;

function readFiles(): readonly string[] {
  try {
    const options = {
      admin: { type: 'string' },
      service: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { admin, service, help } = parseArgs({ options, allowPositionals: false }).values;
    if (help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const files = [admin, service].filter((file) => file !== undefined);
    if (files.length === 0) throw new Error('name at least one file');
    if (new Set(files).size < files.length) throw new Error('the two keys need a file each');
    if (files.includes('')) throw new Error('the name of a file is empty');
    return files;
  } catch (error) {
    process.stderr.write(`${oneLine(error)}\n\n${HELP}`);
    return process.exit(2);
  }
}

async function main(): Promise<void> {
  keepToOurselves();
  for (const file of readFiles()) {
    const made = await makeKeyFile(file);
    await readKeyFile(file);
    process.stdout.write(`${made ? 'made' : 'kept'} ${file}\n`);
  }
}

main().catch(fail);
