/** Our own troubles at the edge: told once of each kind, never thrown. */
import { diag } from '@opentelemetry/api';

/** Words, which belong to no request: an isolate that lives for days shall not tell of each. */
const told = new Set<string>();

/** One line to OpenTelemetry's `diag` for each kind. Never throws. */
export function report(kind: string, message: unknown): void {
  if (told.has(kind)) return;
  told.add(kind);
  try {
    diag.warn(`spandrel: ${kind}: ${message}`);
  } catch {
    // The host's logger is the host's; there is nobody left to tell.
  }
}

/** Runs a task of ours, or of the user's for us: what it throws is reported, and undefined comes back. */
export function guard<T>(task: () => T): T | undefined {
  try {
    return task();
  } catch (error) {
    report('exception', error);
    return undefined;
  }
}
