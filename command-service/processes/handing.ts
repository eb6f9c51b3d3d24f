/** Tasks that commands of this process are about to claim. */
export type Handing = {
  /** Those of other commands than this one. */
  others(commandId: string): readonly string[];
  /** Tasks that were claimed within the last second. */
  claimedJustNow(): readonly string[];
  /** @returns false when another command has it */
  take(taskId: string, commandId: string): boolean;
  give(taskId: string, commandId: string, claimed: boolean): void;
};

const REMEMBERED_MS = 1_000;
const MOST_REMEMBERED = 1_000;

export function createHanding(): Handing {
  const inHand = new Map<string, string>();
  /** In the order in which they were claimed. */
  const claimed = new Map<string, number>();
  return {
    others: (commandId) => [...inHand].flatMap(([taskId, holder]) => (holder === commandId ? [] : [taskId])),
    claimedJustNow: () => {
      for (const [taskId, at] of claimed) {
        if (claimed.size <= MOST_REMEMBERED && performance.now() - at < REMEMBERED_MS) break;
        claimed.delete(taskId);
      }
      return [...claimed.keys()];
    },
    take: (taskId, commandId) => {
      const holder = inHand.get(taskId);
      if (holder !== undefined) return holder === commandId;
      inHand.set(taskId, commandId);
      return true;
    },
    give: (taskId, commandId, isClaimed) => {
      if (inHand.get(taskId) === commandId) inHand.delete(taskId);
      if (!isClaimed) return;
      claimed.delete(taskId);
      claimed.set(taskId, performance.now());
    },
  };
}
