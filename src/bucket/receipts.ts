/** What is told at once of objects that are stored. */
import { toJson } from '../json.js';
import type { LossReport, Receipt } from './endpoint.js';

export interface Told {
  receipt: Receipt | LossReport;
  told: () => void;
}

/** What the endpoint takes at once. */
export const MAX_RECEIPTS = 80;
/** It takes 64 KiB, and a character may be three bytes. A receipt alone is shorter: see `MAX_TRACES` in `bucket.ts`. */
const MAX_CHARS = 20_000;

/** As many as one message takes; the rest goes in the next. */
export function fitting(all: Iterable<Told>): Told[] {
  const some: Told[] = [];
  let chars = 0;
  for (const one of all) {
    chars += toJson(one.receipt).length;
    if (some.length && (chars > MAX_CHARS || some.length === MAX_RECEIPTS)) break;
    some.push(one);
  }
  return some;
}
