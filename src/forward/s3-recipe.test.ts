/** The README's recipe: events in S3's words, as readers take them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { traceKey } from '../testing/bucket.js';
import { objectsOf } from './queue-message.js';

const NOW = Date.UTC(2026, 10, 21, 3, 4, 5);

interface Recipe {
  s3Event(
    objects: { key: string; size?: number; etag?: string }[],
    options: { bucket: string; nowMillis?: number },
  ): { Records: { s3: { object: { key: string } } }[] };
}

async function recipe(): Promise<Recipe> {
  // From the compiled test, three folders below the root.
  const readme = await readFile(new URL('../../../../src/forward/README.md', import.meta.url), 'utf8');
  const [, code = ''] = /```js\n(export function s3Event.*?)```/s.exec(readme) ?? [];
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

test('recipe: an event is what S3 sends, as far as readers look', async () => {
  const { s3Event } = await recipe();
  const key = traceKey(NOW, 7);
  const event = s3Event([{ key, size: 1_234, etag: '"0123abcd"' }], { bucket: 'traces', nowMillis: NOW });
  assert.deepEqual(event, {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'auto',
        eventTime: '2026-11-21T03:04:05.000Z',
        eventName: 'ObjectCreated:Put',
        s3: {
          s3SchemaVersion: '1.0',
          bucket: { name: 'traces', arn: 'arn:aws:s3:::traces' },
          object: {
            key: key.replaceAll('=', '%3D'),
            size: 1_234,
            eTag: '0123abcd',
            sequencer: NOW.toString(16).toUpperCase().padStart(16, '0'),
          },
        },
      },
    ],
  });
});

test('recipe: keys are encoded as a form, and readers get them back', async () => {
  const { s3Event } = await recipe();
  // The example of S3's own documentation.
  const [record] = s3Event([{ key: 'red flower.jpg' }], { bucket: 'traces' }).Records;
  assert.equal(record?.s3.object.key, 'red+flower.jpg');
  const odd = ['a b', 'a+b', '100%', 'a&b=c;d', 'ünï/\u{1f600}', '#?', '\n', "'()*!~", 'a//b', '%2F', '..'];
  for (const key of odd) {
    const event = s3Event([{ key, size: 3 }], { bucket: 'traces' });
    assert.equal(new URLSearchParams(`key=${event.Records[0]?.s3.object.key}`).get('key'), key);
    assert.deepEqual(objectsOf(event), [{ key, size: 3 }]);
  }
});
