import * as late from './late-page.js';
import type { LateSource } from './spa/late.js';

/** For the script that is both files in one. */
export const lateSource: LateSource = { load: async () => late };
