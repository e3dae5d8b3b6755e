import { type BucketTuning, checkBucketOptions, isPath } from '../options.js';
import type { Destination } from './destination.js';
import { type BucketFunctions, createEndpoint, functionsEndpoint } from './endpoint.js';
import { openBucket } from './open-bucket.js';

/** Options of {@link bucket}: either `endpoint`, or functions of your own. */
export type BucketOptions = BucketTuning &
  (
    | ({ endpoint: string } & { [K in keyof BucketFunctions]?: never })
    | ({ endpoint?: never } & BucketFunctions)
  );

/**
 * A bucket (R2, S3 and the like) that an endpoint of yours hands out presigned uploads for.
 *
 * @throws {TypeError} naming the option, what it got and what it takes.
 */
export function bucket(options: BucketOptions): Destination {
  const checked = checkBucketOptions(options);
  const place = checked.endpoint ?? 'functions';
  return {
    id: checked.project === undefined ? place : `${place} ${checked.project}`,
    isOurs: true,
    isNowhere: isPath(checked.endpoint),
    open(deps) {
      const endpoint =
        checked.endpoint === undefined
          ? functionsEndpoint(options as BucketFunctions, deps)
          : createEndpoint(deps.platform, checked.endpoint, checked.project);
      return openBucket(deps, checked, endpoint);
    },
  };
}
