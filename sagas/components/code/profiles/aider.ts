import { limitIn } from '../outcome.ts';
import { flag, noteOf, shortly, type Profile } from './profile.ts';

const USED = /^(?:> )?Tokens: ([\d.,]{1,20})([kM]?) sent\b/;
const RECEIVED = / ([\d.,]{1,20})([kM]?) received/;
const COST = /Cost: \$[\d.,]+ message, \$([\d.,]*\d) session/;
const EDITED = /^(?:> )?Applied edit to .+/;
const ERROR = /^(?:> )?(?:litellm\.\w*(?:Error|Timeout)\b|Model \S+ has hit a token limit!).*/;

const numberOf = (digits = '', unit = ''): number =>
  (Number(digits.replaceAll(',', '')) || 0) * (unit === 'M' ? 1e6 : unit === 'k' ? 1e3 : 1);

/**
 * aider (`--message-file`): it exits with 0 also where its model refused to answer, so an error that comes after its last answer counts.
 * Its history belongs to a folder, so a second attempt begins anew.
 */
export const aider: Profile = {
  command: ({ command, options }, { promptFile }) => [
    ...command,
    ...['--yes-always', '--no-pretty', '--no-stream', '--no-check-update', '--no-show-release-notes'],
    ...['--no-gitignore', '--no-auto-commits', '--no-suggest-shell-commands', '--no-detect-urls'],
    ...flag('--model', options.model),
    ...['--message-file', promptFile],
  ],
  prompt: 'file',
  note: (line) => (EDITED.test(line) || USED.test(line) ? noteOf(line) : null),
  judge: ({ stdout, problem }) => {
    const lines = stdout.toString('utf8').split(/\r?\n/);
    const used = lines.flatMap((line) => {
      const [, sent, sentUnit] = USED.exec(line) ?? [];
      const [, received, receivedUnit] = RECEIVED.exec(line) ?? [];
      return sent === undefined ? [] : [{ input: numberOf(sent, sentUnit), output: numberOf(received, receivedUnit) }];
    });
    const cost = lines.flatMap((line) => COST.exec(line)?.[1] ?? []).at(-1);
    const told = {
      turns: used.length || null,
      tokens:
        used.length === 0
          ? null
          : used.reduce((sum, one) => ({ input: sum.input + one.input, output: sum.output + one.output })),
      session: null,
    };
    const outcome = { costUsd: cost === undefined ? null : numberOf(cost), told };
    const failed = lines.findLastIndex((line) => ERROR.test(line));
    const isLast = failed > lines.findLastIndex((line) => EDITED.test(line) || USED.test(line));
    if (failed < 0 || !isLast) return { ...outcome, problem };
    const said = lines.slice(failed).join('\n');
    const limit = limitIn(said);
    return { ...outcome, problem: `its model did not answer: ${shortly(said)}`, ...(limit !== null && { limit }) };
  },
  sessions: null,
};
