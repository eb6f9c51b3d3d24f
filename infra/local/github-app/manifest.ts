/** What Workledger does on GitHub, as permissions of an app: https://docs.github.com/rest/authentication/permissions-required-for-github-apps */
const PERMISSIONS = {
  actions: 'read',
  checks: 'write',
  contents: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'write',
} as const;

/** Those that the intake makes something of. */
const EVENTS = [
  ...(['check_suite', 'issue_comment', 'issues', 'pull_request', 'pull_request_review'] as const),
  // Of the app's own installation every app is told.
  'repository',
] as const;

export const manifestOf = (publicUrl: string, redirectUrl: string) => ({
  // The person can change it: names are GitHub's, one for all.
  name: `Workledger ${new URL(publicUrl).hostname}`.slice(0, 34),
  url: publicUrl,
  hook_attributes: { url: `${publicUrl.replace(/\/$/, '')}/api/v1/webhooks/github`, active: true },
  redirect_url: redirectUrl,
  public: false,
  default_permissions: PERMISSIONS,
  default_events: EVENTS,
});
