import rules from './.dependency-cruiser.mjs';

// A test may look down from above, so this one rule looks at the product's own code only, in a run of its own.

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-folder-circles',
      comment: 'Folders of shared/ stand on one another, one way: what two of them need stands in a lower one.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^shared/' },
      to: { circular: true },
    },
  ],
  options: {
    ...rules.options,
    exclude: {
      path: [rules.options.exclude.path, String.raw`\.test\.ts$|/(contract|testing)\.ts$|(^|/)(testing|double)/`],
    },
  },
};
