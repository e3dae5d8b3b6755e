/** "An object landed", as S3 says it: read by the Collector's S3 receiver from SQS, and by what takes its webhooks. */

/** What is told of one object. */
export interface LandedObject {
  key: string;
  size?: number;
  /** With or without quotes. */
  etag?: string;
  /** Epoch milliseconds of its writing. Default: now. */
  storedAtMillis?: number;
}

/** One record of an S3 event, as far as readers look. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export interface S3EventRecord {
  eventVersion: '2.1';
  eventSource: 'aws:s3';
  awsRegion: string;
  eventTime: string;
  eventName: 'ObjectCreated:Put';
  s3: {
    s3SchemaVersion: '1.0';
    bucket: { name: string; arn: string };
    object: { key: string; size?: number; eTag?: string; sequencer: string };
  };
}

/** The whole of a message. */
export interface S3Event {
  Records: S3EventRecord[];
}

export interface S3EventOptions {
  /** The bucket's name, as the reader knows it. */
  bucket: string;
  /** Default `auto`. */
  region?: string;
  /** Epoch milliseconds. Default `Date.now`. */
  now?: () => number;
}

/**
 * Makes the S3 event for some objects: the body of `SendMessage` where the Collector's receiver reads a queue, or of a
 * webhook. At most some 200 objects fit into one message of SQS.
 */
export function s3Event(
  objects: readonly LandedObject[],
  { bucket, region = 'auto', now = Date.now }: S3EventOptions,
): S3Event {
  return {
    Records: objects.map(({ key, size, etag, storedAtMillis = now() }) => ({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: region,
      eventTime: new Date(storedAtMillis).toISOString(),
      eventName: 'ObjectCreated:Put',
      s3: {
        s3SchemaVersion: '1.0',
        bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
        object: {
          key: formEncoded(key),
          ...(size === undefined ? {} : { size }),
          ...(etag === undefined ? {} : { eTag: etag.replace(/^"|"$/g, '') }),
          sequencer: Math.floor(storedAtMillis).toString(16).toUpperCase().padStart(16, '0'),
        },
      },
    })),
  };
}

/** As S3 encodes keys in events: a space is `+`, slashes stay. Readers undo it as they would a query's. */
export function formEncoded(key: string): string {
  // A lone surrogate is no text, and stores hold none; it is told as what it would be stored as.
  const text = key.replace(
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    '\ufffd',
  );
  return encodeURIComponent(text).replace(/%2F/g, '/').replace(/%20/g, '+');
}

/** The key in an event. Undefined where it is not encoded. */
export function formDecoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replace(/\+/g, ' '));
  } catch {
    return undefined;
  }
}
