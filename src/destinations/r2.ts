import {
  blobKey,
  DEFAULT_LAYOUT,
  DEFAULT_PROJECT,
  isKeyPrefix,
  isKeySegment,
  type KeyLayout,
} from '../object-key.js';
import { checkNames, refuse } from '../options.js';
import { createDeadlines } from './deadlines.js';
import type { Destination, DestinationDeps, OpenDestination } from './destination.js';
import { outcomeOfError } from './r2-errors.js';

/** An R2 bucket as a Worker's `env` has it: as much of `R2Bucket` as is used. */
export interface R2Binding {
  /** Null when the condition does not hold. */
  put(key: string, value: Uint8Array<ArrayBuffer>, options: R2PutOptions): Promise<unknown>;
  /** Never called. A KV namespace, which has a `put` too, has none. */
  head(key: string): Promise<unknown>;
}

interface R2PutOptions {
  httpMetadata: { contentType: string };
  onlyIf: { etagDoesNotMatch: string };
}

/** Options of {@link r2}. Objects lie under `{prefix}/{project}/{environment}/year=…`, as the endpoint lays them. */
export interface R2Options {
  /** First segments of every key, at most 200 characters. Default `otlp/v1`. */
  prefix?: string;
  /** Segment of every key. Default `default`. */
  project?: string;
  /** Segment of every key. Default `production`. */
  environment?: string;
}

/** A put takes well under a second. */
const PUT_MILLIS = 30_000;
const SEGMENT =
  '1 to 64 letters, digits, dots, dashes and underscores, of which the first is a letter or digit';

/**
 * The R2 bucket of a Worker's binding. Each blob becomes one object, written once: its key is made of the blob's own
 * UUID and time, so that a second attempt finds what the first has stored. No endpoint and no presigned URLs.
 *
 * @param binding such as `env.TRACES`, from `r2_buckets` in wrangler's configuration.
 * @throws {TypeError} when it is no R2 bucket; or naming the option, what it got and what it takes.
 */
export function r2(binding: R2Binding, options: R2Options = {}): Destination {
  const { put, head } = (binding ?? {}) as Partial<R2Binding>;
  if (typeof put !== 'function' || typeof head !== 'function') {
    refuse(
      'binding',
      binding,
      'an R2 bucket, such as env.TRACES with { "binding": "TRACES", "bucket_name": … } in "r2_buckets" of wrangler\'s configuration',
    );
  }
  checkNames('r2()', options, ['prefix', 'project', 'environment']);
  const { prefix = DEFAULT_LAYOUT.prefix, environment = DEFAULT_LAYOUT.environment } = options;
  const { project = DEFAULT_PROJECT } = options;
  if (typeof prefix !== 'string' || !isKeyPrefix(prefix)) {
    refuse('prefix', prefix, 'key segments joined by single slashes, at most 200 characters');
  }
  for (const [name, value] of Object.entries({ project, environment })) {
    if (typeof value !== 'string' || !isKeySegment(value)) refuse(name, value, SEGMENT);
  }
  return {
    id: `r2 ${prefix}/${project}/${environment}`,
    isOurs: true,
    open: (deps) => openR2(deps, binding, { prefix, environment }, project),
  };
}

function openR2(
  deps: DestinationDeps,
  binding: R2Binding,
  layout: KeyLayout,
  project: string,
): OpenDestination {
  const { platform, diagnostics } = deps;
  const { requests } = diagnostics.totals;
  const deadlines = createDeadlines(platform);

  return {
    async send({ id, bornAtMillis, bytes }) {
      requests.uploads++;
      try {
        const { key } = blobKey(layout, project, { id, atMillis: bornAtMillis, nowMillis: platform.now() });
        const putting = binding.put(key, bytes as Uint8Array<ArrayBuffer>, {
          httpMetadata: { contentType: 'application/gzip' },
          onlyIf: { etagDoesNotMatch: '*' },
        });
        // Null says that there is an object under this key, which nobody else has.
        await deadlines.within(PUT_MILLIS, Promise.resolve(putting));
        return { status: 'stored' };
      } catch (error) {
        const outcome = outcomeOfError(error);
        if (outcome.status !== 'stored') requests.uploadFailures++;
        return outcome;
      }
    },
    close: deadlines.close,
  };
}
