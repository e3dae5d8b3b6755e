/**
 * A bucket's CORS and lifecycle rules as the S3 API writes them, and what they are to be: the operator's own rules stay
 * as they are, to the letter. Not a parser of XML: see `server/object-listing.ts`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
 */

/** As `aws s3api put-bucket-cors` takes it. */
export interface CorsRule {
  AllowedOrigins: string[];
  AllowedMethods: string[];
  AllowedHeaders: string[];
  ExposeHeaders: string[];
  MaxAgeSeconds: number;
}

export interface ExpiryRule {
  id: string;
  /** With a slash at its end. */
  prefix: string;
  days: number;
}

/**
 * With a rule for the page's origin in front, since stores go by the first that matches: Ceph looks at the origin alone.
 * It allows what all others allow that origin as well, so that nothing that works ends.
 *
 * @param before absent where there are none.
 */
export function mergeCors(before: string | undefined, wanted: CorsRule): string {
  const rules = elements(before, 'CORSRule');
  const [origin = ''] = wanted.AllowedOrigins;
  const matching = rules.filter((rule) =>
    texts(rule, 'AllowedOrigin').some((pattern) => matches(pattern, origin)),
  );
  const union = (tag: string, own: readonly string[]): string =>
    tags(tag, [...new Set([...own, ...matching.flatMap((rule) => texts(rule, tag))])]);
  const own =
    tags('AllowedOrigin', wanted.AllowedOrigins) +
    union('AllowedMethod', wanted.AllowedMethods) +
    union('AllowedHeader', wanted.AllowedHeaders) +
    union('ExposeHeader', wanted.ExposeHeaders) +
    tags('MaxAgeSeconds', [String(wanted.MaxAgeSeconds)]);
  const isOurs = (rule: string): boolean => {
    const origins = texts(rule, 'AllowedOrigin');
    return origins.length === 1 && origins[0] === origin;
  };
  const others = rules.filter((rule) => !isOurs(rule));
  return `<CORSConfiguration xmlns="${NAMESPACE}">${tags('CORSRule', [own, ...others], false)}</CORSConfiguration>`;
}

/** With a rule that deletes what is under the prefix, in the place of an earlier one of ours. */
export function mergeLifecycle(before: string | undefined, { id, prefix, days }: ExpiryRule): string {
  const rules = elements(before, 'Rule');
  const isOurs = (rule: string): boolean => idOf(rule) === id && texts(rule, 'Prefix')[0] === prefix;
  const others = rules.filter((rule) => !isOurs(rule));
  const ownId = others.some((rule) => idOf(rule) === id) ? `${id} ${prefix}` : id;
  const where = tags('Prefix', [prefix]);
  // The older form has no filter, and stores take one form at a time.
  const isOld = others.length > 0 && others.every((rule) => !rule.includes('<Filter'));
  const own =
    tags('ID', [ownId]) +
    (isOld ? where : tags('Filter', [where], false)) +
    tags('Status', ['Enabled']) +
    tags('Expiration', [tags('Days', [String(days)])], false);
  const kept = others.filter((rule) => idOf(rule) !== ownId);
  return `<LifecycleConfiguration xmlns="${NAMESPACE}">${tags('Rule', [...kept, own], false)}</LifecycleConfiguration>`;
}

export interface LifecycleRule {
  isEnabled: boolean;
  prefix: string;
  /** True where the rule is for tagged or sized objects only. */
  hasTags: boolean;
  /** Until objects are deleted; absent when the rule does something else. */
  days: number | undefined;
}

/** Rules as far as deletion goes. */
export function parseLifecycle(xml: string): LifecycleRule[] {
  return elements(xml, 'Rule').map((rule) => {
    const [expiration = ''] = elements(rule, 'Expiration');
    const days = Number(texts(expiration, 'Days')[0]);
    return {
      isEnabled: texts(rule, 'Status')[0] === 'Enabled',
      prefix: elements(rule, 'Prefix')[0] ?? '',
      hasTags: /<Tag>|<ObjectSize/.test(rule),
      days: days > 0 ? days : undefined,
    };
  });
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A rule's own id: that of a filter's tag is called otherwise. */
const idOf = (rule: string): string | undefined => texts(rule, 'ID')[0];

/** What stands between the tags, as it is written. */
function elements(xml: string | undefined, tag: string): string[] {
  return Array.from(
    (xml ?? '').matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs')),
    ([, inner = '']) => inner,
  );
}

/** The same, for texts. */
const texts = (xml: string, tag: string): string[] =>
  elements(xml, tag).map((text) => unescaped(text.trim()));

function tags(tag: string, values: readonly string[], areTexts = true): string {
  return values.map((value) => `<${tag}>${areTexts ? escaped(value) : value}</${tag}>`).join('');
}

/** One `*` stands for anything. */
function matches(pattern: string, origin: string): boolean {
  const [head = '', tail] = pattern.split('*', 2);
  if (tail === undefined) return pattern === origin;
  return origin.length >= head.length + tail.length && origin.startsWith(head) && origin.endsWith(tail);
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

const unescaped = (text: string): string =>
  Object.entries(ENTITIES).reduceRight((plain, [char, entity]) => plain.replaceAll(entity, char), text);
