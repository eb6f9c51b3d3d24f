import type { Principal } from '@workledger/shared/http/route.ts';
import type { Told } from './feed.ts';

/** Whether news is within what a key may read. */
export const isFor = ({ actor, repositories }: Principal, { repository, except }: Told): boolean => {
  if (except === actor) return false;
  return (
    repository === undefined || repositories === null || (repository !== null && repositories.includes(repository))
  );
};

/** Whether a key may what it might. */
export const sameRights = (one: Principal, other: Principal): boolean =>
  one.role === other.role &&
  one.actor === other.actor &&
  String(one.repositories) === String(other.repositories) &&
  String(one.teams) === String(other.teams);
