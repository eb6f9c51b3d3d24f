// Counts how often the search looks at an address: the same on every machine, and wrong results do not count.
import { findDuplicates } from './src/find-duplicates.mjs';

const PEOPLE = 2_000;
const TWICE = 200;

let operations = 0;
const counted = (address) => ({
  get email() {
    operations++;
    return address;
  },
});

const addresses = Array.from({ length: PEOPLE }, (_, index) => `person${(index * 7_919) % PEOPLE}@example.org`);
const book = [...addresses, ...addresses.slice(0, TWICE)].map(counted);

const found = findDuplicates(book).length;
if (found !== TWICE) {
  console.error(`wrong result: ${found} duplicates instead of ${TWICE}`);
  process.exit(1);
}
console.log(`${book.length} contacts, ${found} duplicates`);
console.log(JSON.stringify({ operations }));
