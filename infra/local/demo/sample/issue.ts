/** What a person would write on GitHub about the sample. */
export const sampleIssue = {
  title: 'Find duplicates whatever the case of the address',
  body: [
    '`findDuplicates` takes `ann@example.org` and `ANN@Example.org` for two people. Mail servers do not care, and our address',
    'book should not either: addresses that differ only in upper and lower case are the same.',
    '',
    'The result should still tell each address as it is written first. There is a test for it, which fails:',
    '`upper and lower case make no difference`.',
    '',
    'While you are there: with 2,000 contacts the search is slow. `npm run bench` tells how slow.',
  ].join('\n'),
} as const;
