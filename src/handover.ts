import type * as shared from './shared.js';
import type { LateFile } from './spa/late.js';
import { VERSION } from './version.js';

/** Under which the second file finds who asked for it. It names the version: another one hands over nothing. */
export const HANDOVER: unique symbol = Symbol.for(`spandrel.late ${VERSION}`) as never;

/** The global object, as both see it: who asks for the second file lends it what both use. */
export interface Handover {
  [HANDOVER]?: (Partial<typeof shared> & { take(file: LateFile): void }) | undefined;
}
