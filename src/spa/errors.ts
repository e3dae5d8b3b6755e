/** Uncaught errors and unhandled rejections, as exception events with their span's status set to error. */
import type { Exception } from '@opentelemetry/api';
import type { Stop } from '../platform/platform.js';
import type { PartDeps } from './part.js';

/** Where exceptions go that somebody has caught: a framework's error boundary, say. */
export type RecordException = (error: Exception) => void;

/** Listens for what nobody caught, when `listens`; gives the function for the rest. */
export function traceErrors(_deps: PartDeps, _listens: boolean): { record: RecordException; stop: Stop } {
  return { record: () => {}, stop: () => {} };
}
