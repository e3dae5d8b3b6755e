import type { LateSource } from './spa/late.js';

/** For bundlers, which make a chunk of it. */
export const lateSource: LateSource = { load: () => import('./late-page.js') };
