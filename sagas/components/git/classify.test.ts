import { describe, expect, test } from 'vitest';
import { classifyGit } from './classify.ts';

const id = 'a'.repeat(40);
const push = (ref: string): string[] => ['push', '--force', '--', '/srv/shop.git', `${id}:${ref}`];
const task = 'refs/heads/workledger/0198';
const fetch = ['fetch', '--quiet', '--', 'https://example.org/shop'];

const forGood: readonly (readonly [what: string, command: string[], stderr: string, reason: RegExp])[] = [
  [
    'a branch that is named like the folder of ours',
    push(task),
    `remote: error: cannot lock ref '${task}': 'refs/heads/workledger' exists; cannot create '${task}'\nTo /srv/shop.git\n ! [remote rejected] ${id} -> workledger/0198 (failed to update ref)`,
    /the origin has a branch named workledger, so "workledger\/0198" cannot be: rename it/,
  ],
  [
    'a hook that refuses the author',
    push(task),
    `remote: author Workledger is not one of ours        \nTo /srv/shop.git\n ! [remote rejected] ${id} -> workledger/0198 (pre-receive hook declined)`,
    /a hook of the origin refuses "workledger\/0198": author Workledger is not one of ours/,
  ],
  [
    'a hook that refuses the namespace',
    push('refs/workledger/0198/1/generate-1'),
    ` ! [remote rejected] ${id} -> refs/workledger/0198/1/generate-1 (hook declined)`,
    /a hook of the origin refuses "refs\/workledger\/0198\/1\/generate-1"/,
  ],
  [
    'a protected branch',
    push('refs/heads/main'),
    `remote: error: GH006: Protected branch update failed for refs/heads/main.\n ! [remote rejected] ${id} -> main (protected branch hook declined)`,
    /the origin protects "main".*GH006/,
  ],
  ['a hidden ref', push('refs/pull/1'), ` ! [remote rejected] x -> y (deny updating a hidden ref)`, /hidden ref/],
  ['a shallow origin', push(task), ` ! [remote rejected] x -> y (shallow update not allowed)`, /whole repository/],
  ['a refusal in words of its own', push(task), ` ! [remote rejected] x -> y (because I say so)`, /because I say so/],
  [
    'a login that is refused',
    fetch,
    `fatal: Authentication failed for 'https://example.org/shop/'`,
    /refuses the login/,
  ],
  ['a login that nobody gave', fetch, `fatal: could not read Username for 'https://example.org'`, /refuses the login/],
  ['a key that is refused', fetch, `git@example.org: Permission denied (publickey).`, /refuses the login/],
  ['a host that is not known', fetch, `Host key verification failed.`, /known_hosts/],
  ['a repository that is not there', fetch, `remote: Repository not found.`, /no such repository/],
  ['a folder that is none', fetch, `fatal: '/srv/x' does not appear to be a git repository`, /no such repository/],
  ['a certificate', fetch, `SSL certificate problem: self-signed certificate`, /certificate is not trusted/],
  ['a commit that is gone', fetch, `fatal: remote error: upload-pack: not our ref ${id}`, /not have it any more/],
  ['a helper', fetch, `fatal: unable to find remote helper for 'foo'`, /does not speak/],
  [
    'safe.bareRepository',
    fetch,
    `fatal: cannot use bare repository '/x' (safe.bareRepository is 'explicit')`,
    /allow it/,
  ],
  ['an owner', fetch, `fatal: detected dubious ownership in repository at '/srv/x'`, /safe\.directory/],
  ['LFS', ['add'], `git-lfs filter-process: git-lfs: command not found`, /install it here/],
  ['a pathspec', ['diff'], `fatal: Invalid pathspec magic 'x' in ':(x)y'`, /correct "protectedPaths"/],
];

test.each(forGood)('%s is refused for good, and is no fault of the component', (_, command, stderr, reason) => {
  const found = classifyGit({ command, exitCode: 128, stderr });
  expect(found.reason).toMatch(reason);
  expect(found.retryable).toBe(false);
  expect(found.fault).not.toBe('component');
});

test.each([
  ['DNS', `fatal: unable to access 'https://x/': Could not resolve host: x`],
  ['a connection', `ssh: connect to host x port 22: Connection refused`],
  ['a time-out', 'no end within 600 s. '],
  ['an end in the middle', 'fatal: early EOF\nfatal: fetch-pack: invalid index-pack output'],
  ['a busy server', `error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503`],
  ['a server that is full', 'remote: fatal: write error: No space left on device'],
  ['somebody who was faster', ` ! [rejected]        ${id} -> main (stale info)`],
])('%s passes, and is the origin’s', (_, stderr) => {
  expect(classifyGit({ command: fetch, exitCode: 128, stderr })).toMatchObject({ retryable: true, fault: 'origin' });
});

describe('what happens on this machine', () => {
  test.each([
    ['a full disk', 128, 'fatal: write error: No space left on device', /make room/],
    ['a lock', 128, `fatal: Unable to create '/x/index.lock': File exists.`, /holds a lock/],
    ['little memory', 128, 'fatal: Out of memory, malloc failed', /too little memory/],
    ['a kill', null, '', /killed, perhaps for want of memory/],
    ['what nobody knows', 128, 'fatal: something new', /git add failed: fatal: something new/],
  ])('%s passes, and is the component’s', (_, exitCode, stderr, reason) => {
    const found = classifyGit({ command: ['add', '--all'], exitCode, stderr });
    expect(found).toMatchObject({ retryable: true, fault: 'component' });
    expect(found.reason).toMatch(reason);
  });
});
