// `spandrel doctor` on a real store: presigned URLs, and forms.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { spandrel } from '../cli/run-command.mjs';
import { createBucket } from './bucket.mjs';
import { useRadosgw } from './radosgw.mjs';
import { startShop } from './shop.mjs';

/** @type {Awaited<ReturnType<typeof useRadosgw>>} */
let radosgw;
before(async () => {
  radosgw = await useRadosgw();
});
after(() => radosgw?.close());

/** An hour behind. */
const SLOW_CLOCK = `
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...args) { super(...(args.length ? args : [Date.now()])); }
    static now() { return Real.now() - 3_600_000; }
  };`;

/** What is not well, by way of uploading; a bucket has no lifecycle rule until it is given one. */
const NOT_WELL = {
  put: { 'bucket.lifecycle': 'warn' },
  post: { 'bucket.lifecycle': 'warn', 'bucket.write-once': 'warn' },
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

test('doctor --fix on Ceph: writes CORS and lifecycle rules beside those that are there', async (t) => {
  const name = 'doctor-fix';
  const shop = await startShop(radosgw, { bucket: name, uploads: 'put', maxUploadBytes: 65_536 });
  t.after(shop.close);
  const { bucket, origin } = shop;
  const rules = [
    ['https://other.example', 'PUT', 'x-other'],
    [origin, 'GET', 'x-mine'],
  ].map(
    ([from, method, header]) =>
      `<CORSRule><AllowedOrigin>${from}</AllowedOrigin><AllowedMethod>${method}</AllowedMethod>` +
      `<AllowedHeader>${header}</AllowedHeader></CORSRule>`,
  );
  await bucket.put('?cors', `<CORSConfiguration>${rules.join('')}</CORSConfiguration>`);
  await bucket.put(
    '?lifecycle',
    '<LifecycleConfiguration><Rule><ID>logs</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>' +
      '<Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>',
  );
  /** @param {string[]} args */
  const doctor = (...args) =>
    spandrel(
      [
        ...['doctor', '--endpoint', `${shop.url}spandrel`, '--bucket', name, '--s3-endpoint', radosgw.origin],
        ...args,
      ],
      {
        AWS_ACCESS_KEY_ID: radosgw.accessKeyId,
        AWS_SECRET_ACCESS_KEY: radosgw.secretAccessKey,
        AWS_REGION: radosgw.region,
      },
    );
  const before = await Promise.all(['?cors', '?lifecycle'].map((what) => bucket.read(what)));
  const unasked = await doctor('--fix');
  assert.deepEqual([unasked.code, unasked.stdout], [2, '']);
  assert.match(unasked.stderr, /nobody is at the terminal: give --yes/);
  assert.deepEqual(await Promise.all(['?cors', '?lifecycle'].map((what) => bucket.read(what))), before);

  const { json, code } = await doctor('--fix', '--yes', '--keep-days', '14', '--json');
  assert.equal(code, 0, JSON.stringify(json.findings, null, 1));
  assert.deepEqual(
    json.fixed.map((/** @type {any} */ { what, status }) => [what, status]),
    [
      ['CORS rules', 'written'],
      ['lifecycle rules', 'written'],
    ],
  );
  for (const [index, was] of ['x-mine', 'logs/'].entries()) assert.ok(json.fixed[index].before.includes(was));
  const notWell = json.findings.filter((/** @type {any} */ { status }) => /warn|fail/.test(status));
  assert.deepEqual(notWell, []);
  const [cors = '', lifecycle = ''] = await Promise.all(
    ['?cors', '?lifecycle'].map((what) => bucket.read(what)),
  );
  for (const kept of ['https://other.example', 'x-other', 'x-mine', '<AllowedMethod>GET'])
    assert.ok(cors.includes(kept));
  for (const kept of ['logs/', '<Days>3<', 'otlp/v1/', '<Days>14<']) assert.ok(lifecycle.includes(kept));

  // The other site may still do what it might, and ours what it did besides.
  /** @param {string} from @param {string} method @param {string} header */
  const preflight = async (from, method, header) => {
    const headers = {
      origin: from,
      'access-control-request-method': method,
      'access-control-request-headers': header,
    };
    return (await fetch(`${radosgw.origin}/${name}/x`, { method: 'OPTIONS', headers })).status;
  };
  assert.equal(await preflight('https://other.example', 'PUT', 'x-other'), 200);
  assert.equal(await preflight(origin, 'GET', 'x-mine'), 200);
  assert.equal(await preflight(origin, 'PUT', 'content-type,if-none-match'), 200);

  const again = await doctor('--fix', '--yes', '--json');
  assert.deepEqual([again.code, again.json.fixed], [0, []]);
  const [corsAgain] = await Promise.all([bucket.read('?cors')]);
  assert.equal(corsAgain, cors);
});

test('doctor --fix on Ceph: a key that may not is told, and what to do; a wrong bucket is not written to', async (t) => {
  const name = 'doctor-fix-not';
  const shop = await startShop(radosgw, { bucket: name, uploads: 'put', maxUploadBytes: 65_536 });
  t.after(shop.close);
  const { bucket } = shop;
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Principal: '*',
        Action: ['s3:PutLifecycleConfiguration', 's3:PutBucketCORS'],
        Resource: [`arn:aws:s3:::${name}`],
      },
    ],
  };
  await bucket.put('?policy', JSON.stringify(policy));
  /** @param {string} of */
  const doctor = (of) =>
    spandrel(
      [
        ...['doctor', '--endpoint', `${shop.url}spandrel`, '--bucket', of, '--s3-endpoint', radosgw.origin],
        ...['--fix', '--yes', '--json'],
      ],
      {
        AWS_ACCESS_KEY_ID: radosgw.accessKeyId,
        AWS_SECRET_ACCESS_KEY: radosgw.secretAccessKey,
        AWS_REGION: radosgw.region,
      },
    );
  const { json, code } = await doctor(name);
  assert.deepEqual([code, json.fixed.length, json.fixed[0].status], [1, 1, 'failed']);
  assert.match(json.fixed[0].message, /^403 AccessDenied: give AWS_ACCESS_KEY_ID the right/);

  await createBucket(radosgw, 'doctor-fix-other');
  const other = await doctor('doctor-fix-other');
  assert.equal(other.code, 1);
  assert.match(other.json.fixed[0].message, /not sure that the bucket given is the endpoint's/);
});

test('store errors on Ceph: bucket, code and cure are named, in every command', async () => {
  await createBucket(radosgw, 'errors');
  const right = {
    AWS_ACCESS_KEY_ID: radosgw.accessKeyId,
    AWS_SECRET_ACCESS_KEY: radosgw.secretAccessKey,
    AWS_REGION: radosgw.region,
  };
  const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-errors-'));
  const commands = [['pull', folder], ['view'], ['forward', '--to', 'http://127.0.0.1:9', '--after', 'keep']];
  /** @type {[what: string, flags: string[], env: Record<string, string>, said: RegExp][]} */
  const wrong = [
    [
      'bucket',
      ['--bucket', 'nobodys'],
      right,
      /"nobodys".*404 NoSuchBucket; create the bucket, or mend --bucket/,
    ],
    [
      'key',
      ['--bucket', 'errors'],
      { ...right, AWS_ACCESS_KEY_ID: 'unknown' },
      /"errors".*403 InvalidAccessKeyId; AWS_ACCESS_KEY_ID is not one of this store/,
    ],
    [
      'secret',
      ['--bucket', 'errors'],
      { ...right, AWS_SECRET_ACCESS_KEY: 'wrong-secret' },
      /"errors".*403 SignatureDoesNotMatch; mend AWS_SECRET_ACCESS_KEY/,
    ],
    [
      'port',
      ['--bucket', 'errors', '--s3-endpoint', 'http://127.0.0.1:1'],
      right,
      /"errors" at 127\.0\.0\.1:1: .*; nothing listens there|"errors" at 127\.0\.0\.1:1: .*; check --s3-endpoint/,
    ],
    [
      'host',
      ['--bucket', 'errors', '--s3-endpoint', 'http://nobody.invalid'],
      right,
      /"errors" at nobody\.invalid: .*; the name does not resolve/,
    ],
    [
      'clock',
      ['--bucket', 'errors'],
      { ...right, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(SLOW_CLOCK)}` },
      /"errors".*403 (RequestTimeTooSkewed|RequestExpired); clocks differ/,
    ],
  ];
  for (const [what, flags, env, said] of wrong)
    for (const command of commands) {
      const { code, stdout, stderr } = await spandrel(
        [...command, '--s3-endpoint', radosgw.origin, ...flags],
        env,
      );
      assert.equal(code, 1, `${what} ${command[0]}: ${stdout}${stderr}`);
      assert.match(stdout + stderr, said, `${what} ${command[0]}`);
    }
  await rm(folder, { recursive: true });
});
