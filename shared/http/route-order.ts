import type { Route } from './route.ts';

/** The path with its parameters' names left out: equal for paths that match the same requests. */
export const pathPattern = (path: string): string => path.replaceAll(/\{\w+\}/g, '{}');

/** Sorts so that a fixed word comes before a parameter at the same place: `/tasks/next` before `/tasks/{id}`. */
export const inMatchingOrder = (routes: readonly Route[]): Route[] =>
  routes.toSorted((left, right) => compareText(sortKey(left.path), sortKey(right.path)));

const sortKey = (path: string): string => pathPattern(path).replaceAll('{}', '\uffff');

const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
