import type { StoredObject } from './storage.js';

/**
 * Reads the XML of `ListObjectsV2`. Not a parser of XML: the store writes these few elements flat, without
 * attributes, and Workers have no `DOMParser`.
 *
 * @returns undefined when it is no listing.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export function parseObjectListing(xml: string): { objects: StoredObject[]; cursor?: string } | undefined {
  if (!xml.includes('<ListBucketResult')) return undefined;
  const objects = Array.from(xml.matchAll(/<Contents>(.*?)<\/Contents>/gs), ([, entry = '']) => {
    const etag = element(entry, 'ETag');
    const storedAtMillis = Date.parse(element(entry, 'LastModified') ?? '');
    return {
      key: element(entry, 'Key') ?? '',
      size: Number(element(entry, 'Size')),
      ...(etag === undefined ? {} : { etag }),
      ...(Number.isNaN(storedAtMillis) ? {} : { storedAtMillis }),
    };
  });
  const cursor = element(xml, 'NextContinuationToken');
  return cursor === undefined ? { objects } : { objects, cursor };
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function element(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1];
  return text?.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, named) => {
    if (named) return NAMED[named] ?? whole;
    return String.fromCodePoint(Number.parseInt(hex ?? decimal, hex ? 16 : 10));
  });
}
