/**
 * The e-mail addresses that occur more than once, as they are written first, in that order.
 * @param {readonly { readonly email: string }[]} contacts
 * @returns {string[]}
 */
export function findDuplicates(contacts) {
  const duplicates = [];
  for (let i = 0; i < contacts.length; i++) {
    let before = false;
    let again = false;
    for (let j = 0; j < contacts.length; j++) {
      if (i === j || contacts[i].email !== contacts[j].email) continue;
      if (j < i) before = true;
      else again = true;
    }
    if (again && !before) duplicates.push(contacts[i].email);
  }
  return duplicates;
}
