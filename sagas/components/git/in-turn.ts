const tails = new Map<string, Promise<unknown>>();

/** Runs one action after the other for each name, in the order asked, within this process. */
export function inTurn<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
  const before = tails.get(name) ?? Promise.resolve();
  const turn = before.then(action, action);
  const tail = turn.catch(() => undefined);
  tails.set(name, tail);
  void tail.then(() => {
    if (tails.get(name) === tail) tails.delete(name);
  });
  return turn;
}
