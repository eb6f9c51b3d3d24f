import type { Read, Reported } from './report.ts';
import { walkXml } from './xml.ts';

/**
 * Tests that failed (`failure`) or could not run (`error`), of the form that most runners write.
 * Source: https://github.com/testmoapp/junitxml
 */
export function readJunit(text: string): Read {
  if (text.trim() === '') return { problem: 'the report is empty' };
  const reported: Reported[] = [];
  let root: string | null = null;
  let test: Readonly<Record<string, string>> = {};
  const problem = walkXml(text, {
    enter: ({ name, attributes }, depth) => {
      if (depth === 1) root = name;
      if (name === 'testcase') test = attributes;
    },
    leave: ({ name, attributes, text: words }) => {
      if (name !== 'failure' && name !== 'error') return;
      const line = Number(test['line'] ?? Number.NaN);
      const title = [test['classname'], test['name']].filter((part) => part !== undefined && part !== '').join(' ');
      reported.push({
        severity: 'high',
        rule: title === '' ? 'test' : title,
        message: attributes['message'] ?? words.trim().split('\n')[0] ?? '',
        path: test['file'] ?? null,
        line: Number.isSafeInteger(line) ? line : null,
        identity: title,
      });
    },
  });
  if (problem !== null) return { problem: `the report is no junit: ${problem}` };
  if (root !== 'testsuites' && root !== 'testsuite')
    return { problem: `the report is no junit: its root is <${root ?? ''}>, not <testsuites>` };
  return { reported };
}
