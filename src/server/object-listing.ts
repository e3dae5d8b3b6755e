import type { StoredObject } from './storage.js';

/**
 * Reads the XML of `ListObjectsV2`. Not a parser of XML: the store writes these few elements flat, without
 * attributes, and Workers have no `DOMParser`. Takes time that grows with the length of the text and no faster.
 *
 * @returns undefined when it is no listing.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export function parseObjectListing(xml: string): { objects: StoredObject[]; cursor?: string } | undefined {
  if (!xml.includes('<ListBucketResult')) return undefined;
  const objects: StoredObject[] = [];
  for (const entry of xml.split('<Contents>').slice(1)) {
    const [contents = '', rest] = entry.split('</Contents>', 2);
    const key = element(contents, 'Key');
    const size = Number(element(contents, 'Size'));
    if (rest === undefined || !key || !Number.isSafeInteger(size) || size < 0) return undefined;
    const etag = element(contents, 'ETag');
    const storedAtMillis = Date.parse(element(contents, 'LastModified') ?? '');
    objects.push({
      key,
      size,
      ...(etag === undefined ? {} : { etag }),
      ...(Number.isNaN(storedAtMillis) ? {} : { storedAtMillis }),
    });
  }
  const cursor = element(xml, 'NextContinuationToken');
  if (cursor !== undefined) return { objects, cursor };
  // More, and no way to get at it.
  return element(xml, 'IsTruncated') === 'true' ? undefined : { objects };
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const MAX_CODE_POINT = 0x10ffff;

function element(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`) + name.length + 2;
  const end = start < name.length + 2 ? -1 : xml.indexOf(`</${name}>`, start);
  if (end < 0) return undefined;
  const text = xml.slice(start, end);
  return text.replace(/&(?:#x([0-9a-f]{1,8})|#(\d{1,8})|(\w{1,8}));/gi, (whole, hex, decimal, named) => {
    if (named) return NAMED[named] ?? whole;
    const code = Number.parseInt(hex ?? decimal, hex ? 16 : 10);
    return code > MAX_CODE_POINT ? whole : String.fromCodePoint(code);
  });
}
