import {
  isObject,
  isSame,
  memberOf,
  type Json,
  type JsonObject,
} from '@workledger/shared/contexts/sync/document/json.ts';
import { pointerOf } from '@workledger/shared/contexts/sync/document/patch.ts';

/** A value at a place; undefined: there is none. */
export type Value = Json | undefined;

/** The same field as it was, as it stands, and as it was proposed: both sides changed it, maybe alike. */
export type Contest = {
  readonly path: string;
  readonly base: Value;
  readonly current: Value;
  readonly proposed: Value;
};

/**
 * Brings a proposal over what has come since its base, field by field: what only one side changed is taken from that side, what both
 * changed is for whoever settles.
 * @param settle the value that a contested field is to have
 */
export function rebase(
  base: JsonObject,
  current: JsonObject,
  proposed: JsonObject,
  settle: (contest: Contest) => Value,
): JsonObject {
  const merge = (was: Value, is: Value, wanted: Value, keys: readonly string[]): Value => {
    if (isSame(was, wanted)) return is;
    if (isSame(was, is)) return wanted;
    // Objects that both sides made where there was none begin as empty ones.
    if (isObject(is) && isObject(wanted) && (was === undefined || isObject(was))) {
      const origin = isObject(was) ? was : {};
      return mergeMembers(origin, is, wanted, (key, ...values) => merge(...values, [...keys, key]));
    }
    return settle({ path: pointerOf(keys), base: was, current: is, proposed: wanted });
  };
  return mergeMembers(base, current, proposed, (key, ...values) => merge(...values, [key]));
}

function mergeMembers(
  base: JsonObject,
  current: JsonObject,
  proposed: JsonObject,
  merge: (key: string, base: Value, current: Value, proposed: Value) => Value,
): JsonObject {
  // What stands comes first, so that a merge does not turn the order of members about.
  const keys = new Set([...Object.keys(current), ...Object.keys(proposed)]);
  return Object.fromEntries(
    [...keys].flatMap((key): [string, Json][] => {
      const merged = merge(key, memberOf(base, key), memberOf(current, key), memberOf(proposed, key));
      return merged === undefined ? [] : [[key, merged]];
    }),
  );
}
