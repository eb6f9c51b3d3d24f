import { createWakeUps, type WakeUps } from '@workledger/shared/resilience/wake-ups.ts';

/** Where nothing wakes, in milliseconds; while nobody has subscribed, only another process may have heard of somebody who has. */
const LOOK_MILLISECONDS = 1_000;
const LOOK_FOR_NOBODY_MILLISECONDS = 5_000;

/** When it is looked again for what there is to do. */
export type Looks = {
  /** Something may be due. */
  readonly due: WakeUps;
  /** A subscription has changed. */
  readonly changed: WakeUps;
  /** The longest wait between two looks, in milliseconds. */
  longest(): number;
  /** Notes whether anybody has subscribed. */
  saw(isAnybody: boolean): void;
};

export function createLooks(): Looks {
  let longest = LOOK_MILLISECONDS;
  return {
    due: createWakeUps(),
    changed: createWakeUps(),
    longest: () => longest,
    saw: (isAnybody) => {
      longest = isAnybody ? LOOK_MILLISECONDS : LOOK_FOR_NOBODY_MILLISECONDS;
    },
  };
}
