/**
 * The release that is being built, where `spandrel/plugin` builds it; else undefined.
 *
 * ```ts
 * import { release } from 'spandrel/release';
 * start({ service: 'shop', endpoint: '/spandrel', version: release });
 * ```
 */
export const release: string | undefined = undefined;
