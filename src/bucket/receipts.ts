/** What is told at once of objects that are stored. */
import { toJson } from '../json.js';
import type { LossReport, Receipt } from './endpoint.js';

export interface Told {
  receipt: Receipt | LossReport;
  told: () => void;
}

/** What the endpoint takes at once. */
export const MAX_RECEIPTS = 80;
/** It takes 64 KiB, and a character may be three bytes. */
const MAX_CHARS = 20_000;

const charsOf = (receipt: Told['receipt']): number => toJson(receipt).length;
/** Summaries are hints, and names may be long. */
export const said = (receipt: Told['receipt']): Told['receipt'] =>
  charsOf(receipt) > MAX_CHARS ? { ...receipt, traces: [] } : receipt;

/** As many as one message takes; the rest goes in the next. */
export function fitting(all: Iterable<Told>): Told[] {
  const some: Told[] = [];
  let chars = 0;
  for (const one of all) {
    chars += charsOf(said(one.receipt));
    if (some.length && (chars > MAX_CHARS || some.length === MAX_RECEIPTS)) break;
    some.push(one);
  }
  return some;
}
