// What the demo's agents can write: the sample's function in several ways, the slowest first.

const head = (doc) => `/**
 * The e-mail addresses that occur more than once, as they are written first, in that order. Upper and lower case make
 * no difference.${doc === '' ? '' : `\n * ${doc}`}
 * @param {readonly { readonly email: string }[]} contacts
 * @returns {string[]}
 */
`;

export const everyPair = `${head('')}export function findDuplicates(contacts) {
  const duplicates = [];
  for (let i = 0; i < contacts.length; i++) {
    let before = false;
    let again = false;
    for (let j = 0; j < contacts.length; j++) {
      if (i === j || contacts[i].email.toLowerCase() !== contacts[j].email.toLowerCase()) continue;
      if (j < i) before = true;
      else again = true;
    }
    if (again && !before) duplicates.push(contacts[i].email);
  }
  return duplicates;
}
`;

export const halfThePairs = `${head('Each pair is compared once.')}export function findDuplicates(contacts) {
  const duplicates = [];
  const known = new Set();
  for (let i = 0; i < contacts.length; i++) {
    if (known.has(i)) continue;
    let again = false;
    for (let j = i + 1; j < contacts.length; j++) {
      if (contacts[i].email.toLowerCase() !== contacts[j].email.toLowerCase()) continue;
      known.add(j);
      again = true;
    }
    if (again) duplicates.push(contacts[i].email);
  }
  return duplicates;
}
`;

const sorted = (doc, passes) => `${head(doc)}export function findDuplicates(contacts) {
  const order = contacts.map((_, index) => index);
  const byAddress = (a, b) => {
    const left = contacts[a].email.toLowerCase();
    const right = contacts[b].email.toLowerCase();
    return left < right ? -1 : left > right ? 1 : a - b;
  };
${'  order.sort(byAddress);\n'.repeat(passes)}  const first = [];
  for (let at = 0; at < order.length; ) {
    let end = at + 1;
    const address = contacts[order[at]].email.toLowerCase();
    while (end < order.length && contacts[order[end]].email.toLowerCase() === address) end++;
    if (end - at > 1) first.push(order[at]);
    at = end;
  }
  return first.sort((a, b) => a - b).map((index) => contacts[index].email);
}
`;

export const bySorting = sorted('Sorted first, so that equal addresses lie side by side.', 1);
/** Right, but no better: an idea that evolution has to drop. */
export const bySortingTwice = sorted('Sorted twice, to be sure.', 2);

export const inOnePass = `${head('One pass: a map remembers who was seen.')}export function findDuplicates(contacts) {
  const seen = new Map();
  for (const { email } of contacts) {
    const address = email.toLowerCase();
    const entry = seen.get(address);
    if (entry === undefined) seen.set(address, { email, again: false });
    else entry.again = true;
  }
  return [...seen.values()].filter(({ again }) => again).map(({ email }) => email);
}
`;

/** Looks at even less, and is wrong: the benchmark refuses it. */
export const halfTheBook = inOnePass
  .replace('One pass: a map remembers who was seen.', 'Half a pass: a sample is enough.')
  .replace('of contacts)', 'of contacts.slice(contacts.length / 2))');

/** Ways to forget how an address is written first: the benchmark does not see it, the tests do. */
export const inLowerCase = [
  everyPair.replace('duplicates.push(contacts[i].email)', 'duplicates.push(contacts[i].email.toLowerCase())'),
  inOnePass.replace('seen.set(address, { email, again', 'seen.set(address, { email: address, again'),
  bySorting.replace('=> contacts[index].email)', '=> contacts[index].email.toLowerCase())'),
];
