import { spawnSync } from 'node:child_process';
import { seriousIn } from './judge.ts';

/** Asks the registry for known holes of what runs in production. Exit code 1: it knows high or critical ones. */
const PATIENCE_MILLISECONDS = 60_000;

const { stdout } = spawnSync('npm', ['audit', '--omit', 'dev', '--json', '--fetch-retries', '0'], {
  encoding: 'utf8',
  timeout: PATIENCE_MILLISECONDS,
  maxBuffer: 64 * 1024 * 1024,
});
const serious = seriousIn(stdout);
process.stdout.write(
  serious === null
    ? 'npm audit was not asked: its registry does not answer such questions here\n'
    : `npm audit: ${serious} high or critical in production dependencies\n`,
);
if (serious !== null && serious > 0) {
  process.stdout.write(`${stdout}\n`);
  process.exit(1);
}
