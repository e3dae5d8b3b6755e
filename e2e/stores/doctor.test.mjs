// `spandrel doctor` on a real store: presigned URLs, and forms.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { spandrel } from '../cli/run-command.mjs';
import { useRadosgw } from './radosgw.mjs';
import { startShop } from './shop.mjs';

/** @type {Awaited<ReturnType<typeof useRadosgw>>} */
let radosgw;
before(async () => {
  radosgw = await useRadosgw();
});
after(() => radosgw?.close());

/** What is not well, by way of uploading; a bucket has no lifecycle rule until it is given one. */
const NOT_WELL = {
  put: { 'bucket.lifecycle': 'fail' },
  post: { 'bucket.lifecycle': 'fail', 'bucket.write-once': 'warn' },
};

for (const uploads of /** @type {const} */ (['put', 'post']))
  test(`doctor on Ceph: ${uploads}`, async () => {
    const bucket = `doctor-${uploads}`;
    const shop = await startShop(radosgw, { bucket, uploads, maxUploadBytes: 65_536 });
    const { json, stderr } = await spandrel(
      [
        'doctor',
        '--endpoint',
        `${shop.url}spandrel`,
        '--bucket',
        bucket,
        '--s3-endpoint',
        radosgw.origin,
        '--json',
      ],
      {
        AWS_ACCESS_KEY_ID: radosgw.accessKeyId,
        AWS_SECRET_ACCESS_KEY: radosgw.secretAccessKey,
        AWS_REGION: radosgw.region,
      },
    );
    const notWell = json.findings.filter((/** @type {any} */ { status }) => /warn|fail/.test(status));
    assert.deepEqual(
      Object.fromEntries(notWell.map((/** @type {any} */ { id, status }) => [id, status])),
      NOT_WELL[uploads],
      stderr,
    );
    assert.deepEqual(json.leftKeys, []);
    assert.deepEqual(await shop.objects(), []);
    await shop.close();
  });
