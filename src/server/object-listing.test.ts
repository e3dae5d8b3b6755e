import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseObjectListing } from './object-listing.js';

// After the example in the API reference of ListObjectsV2.
const PAGE = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>bucket</Name><Prefix/><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J&amp;x</NextContinuationToken>
  <KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>
  <Contents><Key>happy&#x20;&lt;face&gt;.jpg</Key><LastModified>2014-11-21T19:40:05.000Z</LastModified>
    <ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71&quot;</ETag><Size>11</Size><StorageClass>STANDARD</StorageClass></Contents>
  <Contents><Key>b&#33;</Key><Size>0</Size></Contents>
</ListBucketResult>`;

test('object listing: reads keys, sizes, tags and the next page', () => {
  assert.deepEqual(parseObjectListing(PAGE), {
    objects: [
      {
        key: 'happy <face>.jpg',
        size: 11,
        etag: '"70ee1738b6b21e2c8a43f3a5ab0eee71"',
        storedAtMillis: Date.UTC(2014, 10, 21, 19, 40, 5),
      },
      { key: 'b!', size: 0 },
    ],
    cursor: '1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J&x',
  });
});

test('object listing: an empty bucket is an empty list, and an error page is none', () => {
  assert.deepEqual(parseObjectListing('<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>'), {
    objects: [],
  });
  assert.equal(parseObjectListing('<html>login</html>'), undefined);
});

test('object listing: references to characters that do not exist stay as they are', () => {
  const xml =
    '<ListBucketResult><Contents><Key>&#x110000;&#99999999;&nbsp;&#x1F600;</Key><Size>1</Size></Contents>';
  assert.equal(parseObjectListing(xml)?.objects[0]?.key, '&#x110000;&#99999999;&nbsp;😀');
});
