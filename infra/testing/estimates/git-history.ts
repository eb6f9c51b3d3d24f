import { execFileSync } from 'node:child_process';
import { effortOf } from '@workledger/shared/estimates/effort.ts';
import type { Past } from '@workledger/shared/estimates/experience.ts';

const MOST_BYTES = 256 * 1024 * 1024;
/** What stands between the parts of a commit: none of it is in a message. */
const [COMMIT, BODY, END] = ['\u0001', '\u0002', '\u0003'];

/**
 * The commits of a repository as tasks that are over, oldest first: the subject is the title, the rest of the message the description, and
 * the size of the change how hard it was. Merges, and commits that changed no file, are left out.
 */
export function gitHistory(folder: string): Past[] {
  const asked = ['log', '--no-merges', '--reverse', '--numstat', '--format=%x01%s%x02%b%x03'];
  return execFileSync('git', asked, { cwd: folder, encoding: 'utf8', stdio: 'pipe', maxBuffer: MOST_BYTES })
    .split(COMMIT)
    .slice(1)
    .flatMap((commit) => {
      const [message = '', numbers = ''] = commit.split(END);
      const [title = '', description = ''] = message.split(BODY);
      const changes = [...numbers.matchAll(/^(\d+|-)\t(\d+|-)\t/gm)];
      const lines = changes.reduce((sum, [, added, removed]) => sum + countOf(added) + countOf(removed), 0);
      const effort = effortOf({
        change: { files: changes.length, lines },
        sentBack: 0,
        evolution: null,
        succeeded: true,
      });
      return changes.length === 0 || effort === null
        ? []
        : [{ title, description: description.trim(), labels: [], effort }];
    });
}

/** Of a binary file nobody counts lines. */
const countOf = (text = ''): number => (text === '-' ? 0 : Number(text));
