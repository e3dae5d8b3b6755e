export interface LifecycleRule {
  isEnabled: boolean;
  prefix: string;
  /** True where the rule is for tagged or sized objects only. */
  hasTags: boolean;
  /** Until objects are deleted; absent when the rule does something else. */
  days: number | undefined;
}

/**
 * Reads the XML of `GetBucketLifecycleConfiguration`, as far as deletion goes. Not a parser of XML: see
 * `server/object-listing.ts`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html
 */
export function parseLifecycle(xml: string): LifecycleRule[] {
  return Array.from(xml.matchAll(/<Rule>(.*?)<\/Rule>/gs), ([, rule = '']) => {
    const expiration = /<Expiration>(.*?)<\/Expiration>/s.exec(rule)?.[1] ?? '';
    const days = Number(/<Days>\s*(\d+)\s*<\/Days>/.exec(expiration)?.[1]);
    return {
      isEnabled: /<Status>\s*Enabled\s*<\/Status>/.test(rule),
      prefix: /<Prefix>(.*?)<\/Prefix>/s.exec(rule)?.[1] ?? '',
      hasTags: /<Tag>|<ObjectSize/.test(rule),
      days: days > 0 ? days : undefined,
    };
  });
}
