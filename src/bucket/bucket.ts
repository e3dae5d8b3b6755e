/** Object storage by presigned uploads. */

import type { Destination } from '../destinations/destination.js';
import { type BucketOptions, leavingBucket } from './leaving.js';
import { completeBucket } from './send.js';

export type { BucketOptions };

/**
 * A bucket (R2, S3 and the like) that an endpoint of yours hands out presigned uploads for.
 *
 * @throws {TypeError} naming the option, what it got and what it takes.
 */
export function bucket(options: BucketOptions): Destination {
  return leavingBucket(options, completeBucket);
}
