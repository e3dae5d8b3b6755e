import type { ExpiryRule } from './bucket-rules.js';
import { namesToAsk } from './cors.js';

/** What to set, ready to be pasted. */
export interface Recipes {
  /** For `aws s3api put-bucket-cors`, MinIO and the like. */
  corsS3: unknown;
  /** For R2: the dashboard takes the list, `wrangler r2 bucket cors set --file` the object with `rules`. */
  corsR2: unknown;
  corsWrangler: unknown;
  /** For `aws s3api put-bucket-lifecycle-configuration`; R2 takes it by its S3 API. */
  lifecycle: unknown;
  /** For `wrangler r2 bucket lifecycle set --file`. */
  lifecycleWrangler: unknown;
  /** The rule of `lifecycle` and `lifecycleWrangler`. */
  expiry: ExpiryRule;
  /** The part of the page's policy. */
  csp: string;
}

const MAX_AGE_SECONDS = 86_400;
export const SUGGESTED_DAYS = 30;
/** Where nothing is known of the uploads, those of `s3()`. */
const USUAL_HEADERS = { 'content-type': 'application/gzip', 'if-none-match': '*' };

export function recipes({
  origin,
  endpoint,
  bucketOrigin,
  method = 'PUT',
  headers = USUAL_HEADERS,
  prefix,
  days = SUGGESTED_DAYS,
}: {
  origin: string;
  endpoint: URL;
  bucketOrigin: string | undefined;
  method?: string;
  headers?: Record<string, string>;
  prefix: string;
  days?: number | undefined;
}): Recipes {
  const names = namesToAsk(headers);
  const rule = {
    AllowedOrigins: [origin],
    AllowedMethods: [method],
    AllowedHeaders: names,
    ExposeHeaders: ['ETag'],
    MaxAgeSeconds: MAX_AGE_SECONDS,
  };
  const wrangler = {
    allowed: { origins: [origin], methods: [method], headers: names },
    exposeHeaders: ['ETag'],
    maxAgeSeconds: MAX_AGE_SECONDS,
  };
  const id = 'spandrel';
  const sources = [
    endpoint.origin === origin ? "'self'" : endpoint.origin,
    bucketOrigin ?? 'https://<the store>',
  ];
  return {
    corsS3: { CORSRules: [rule] },
    corsR2: [rule],
    corsWrangler: { rules: [wrangler] },
    lifecycle: {
      Rules: [{ ID: id, Status: 'Enabled', Filter: { Prefix: `${prefix}/` }, Expiration: { Days: days } }],
    },
    lifecycleWrangler: {
      rules: [
        {
          id,
          enabled: true,
          conditions: { prefix: `${prefix}/` },
          deleteObjectsTransition: { condition: { type: 'Age', maxAge: days * 86_400 } },
        },
      ],
    },
    expiry: { id, prefix: `${prefix}/`, days },
    csp: `connect-src ${[...new Set(sources)].join(' ')}`,
  };
}
