// The OpenTelemetry Collector is not to be had here. Its S3 receiver is played by what its source says; the recipes'
// settings are those that it is played with.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createIngest, s3 } from '../../dist/server.js';
import { exportInto } from './objects.mjs';
import { readRecipe } from './recipe.mjs';
import { listedPrefix, listedPrefixes, receive } from './s3-receiver.mjs';
import { shopSpans } from './shop-spans.mjs';
import { parseYaml } from './yaml.mjs';

const YAML = ['collector-r2.yaml', 'collector-sqs.yaml', 'collector-gateway.yaml'];
const HOUR = 'year=%Y/month=%m/day=%d/hour=%H';

test('the receiver as we play it: the vectors of its own tests', () => {
  const at = new Date('2021-02-01T17:32:00Z');
  /** @type {[import('./s3-receiver.mjs').Downloader, 'traces' | 'logs' | 'metrics', string][]} */
  const vectors = [
    [
      { s3_prefix: 'prefix', s3_partition_format: HOUR, file_prefix: 'file' },
      'traces',
      'prefix/year=2021/month=02/day=01/hour=17/filetraces_',
    ],
    [
      { s3_prefix: 'prefix', file_prefix: 'file' },
      'metrics',
      'prefix/year=2021/month=02/day=01/hour=17/minute=32/filemetrics_',
    ],
    [
      { s3_prefix: 'prefix', s3_partition_format: HOUR },
      'logs',
      'prefix/year=2021/month=02/day=01/hour=17/logs_',
    ],
    [{}, 'metrics', 'year=2021/month=02/day=01/hour=17/minute=32/metrics_'],
    [
      { s3_prefix: '/', file_prefix: 'file' },
      'logs',
      '/year=2021/month=02/day=01/hour=17/minute=32/filelogs_',
    ],
    [
      { s3_prefix: '/logs/', s3_partition_format: HOUR, file_prefix: 'file' },
      'traces',
      '/logs//year=2021/month=02/day=01/hour=17/filetraces_',
    ],
    [
      { s3_prefix: 'prefix', s3_partition_timezone: 'Asia/Tokyo', file_prefix: 'file' },
      'logs',
      'prefix/year=2021/month=02/day=02/hour=02/minute=32/filelogs_',
    ],
  ];
  for (const [downloader, signal, prefix] of vectors)
    assert.equal(
      listedPrefix({ ...downloader, file_prefix_include_telemetry_type: true }, at, signal),
      prefix,
    );
  const untyped = listedPrefix(
    { file_prefix: 'file', file_prefix_include_telemetry_type: false },
    at,
    'metrics',
  );
  assert.equal(untyped, 'year=2021/month=02/day=01/hour=17/minute=32/file');
});

test('the receiver as we play it: of NDJSON it hands on the first line', () => {
  assert.deepEqual(receive('a.json.gz', gzipSync('{"a":1}\n{"a":2}\n')), { a: 1 });
  assert.equal(receive('a.ndjson.gz', gzipSync('{}')), undefined);
  assert.throws(() => receive('a.json.gz', Buffer.from('{}')));
});

/** Signs only: nobody is asked. */
const storage = s3({
  endpoint: 'https://store.test',
  bucket: 'b',
  accessKeyId: 'id',
  secretAccessKey: 'secret',
});
const { s3downloader } = parseYaml(await readRecipe('collector-r2.yaml')).receivers.awss3;

/** The keys that the endpoint issues at `atMillis`. @param {object} options @param {number} atMillis */
async function keysAt(options, atMillis) {
  const ingest = createIngest({
    storage,
    secret: 'x'.repeat(32),
    allowedOrigins: '*',
    allowMissingOrigin: true,
    now: () => atMillis,
    ...options,
  });
  const response = await ingest(
    new Request('https://shop.test/spandrel', { method: 'POST', body: JSON.stringify({ v: 1, want: 3 }) }),
  );
  const { uploads } = await response.json();
  return uploads.map((/** @type {{ key: string }} */ { key }) => key);
}

describe('the receiver of the recipe', () => {
  const TIMES = [
    '2026-01-01T00:00:00.000Z',
    '2026-12-31T23:59:59.999Z',
    '2027-01-01T00:00:00.000Z',
    '2028-02-29T12:00:30.500Z',
    '2026-03-29T01:00:00.000Z',
    '2026-10-25T00:59:59.000Z',
    '2026-11-21T09:05:07.000Z',
    '2099-09-09T09:09:09.009Z',
  ];
  for (const time of TIMES) {
    test(`lists every key of ${time} in its minute, and in no other`, async () => {
      const at = new Date(time);
      const keys = await keysAt({}, at.getTime());
      assert.equal(keys.length, 3);
      const day = [new Date(at.getTime() - 43_200_000), new Date(at.getTime() + 43_200_000)];
      const prefixes = listedPrefixes(
        s3downloader,
        /** @type {Date} */ (day[0]),
        /** @type {Date} */ (day[1]),
      );
      assert.equal(prefixes.length, 1_440);
      for (const key of keys) {
        const lists = prefixes.filter((prefix) => key.startsWith(prefix));
        assert.deepEqual(lists, [listedPrefix(s3downloader, at, 'traces')]);
      }
    });
  }

  test('finds other prefixes, projects and environments where it is told of them', async () => {
    const at = new Date('2026-11-21T09:05:07Z');
    const options = { prefix: 'a/b-c/v2', environment: 'staging' };
    const [key] = await keysAt(options, at.getTime());
    const prefix = listedPrefix({ ...s3downloader, s3_prefix: 'a/b-c/v2/default/staging' }, at, 'traces');
    assert.ok(key.startsWith(prefix), `${key} is not listed by ${prefix}`);
  });

  test('lists by the hour as well', async () => {
    const at = new Date('2026-11-21T09:05:07Z');
    const [key] = await keysAt({}, at.getTime());
    // Without a type: the minute stands where the receiver expects the file's name.
    const hourly = { ...s3downloader, s3_partition_format: HOUR, file_prefix_include_telemetry_type: false };
    assert.ok(key.startsWith(listedPrefix(hourly, at, 'traces')));
  });

  test('reads each object whole', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-engines-'));
    try {
      const spans = shopSpans(30);
      const keys = await exportInto(folder, [spans]);
      let found = 0;
      for (const key of keys) {
        const bytes = await readFile(path.join(folder, key));
        const { resourceSpans } = receive(key, bytes);
        for (const { scopeSpans } of resourceSpans) for (const { spans } of scopeSpans) found += spans.length;
      }
      assert.equal(found, spans.length);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('recipes for collectors', () => {
  for (const name of YAML) {
    test(`${name} is YAML whose pipelines hold together`, async () => {
      const { service, ...components } = parseYaml(await readRecipe(name));
      const used = Object.values(service.pipelines);
      assert.ok(used.length > 0);
      for (const kind of ['receivers', 'processors', 'exporters']) {
        const named = new Set(used.flatMap((pipeline) => pipeline[kind]));
        assert.deepEqual([...named].sort(), Object.keys(components[kind]).sort());
      }
    });
  }

  test('alloy-r2.alloy says what collector-r2.yaml says', async () => {
    const alloy = await readRecipe('alloy-r2.alloy');
    const { starttime, endtime, s3downloader } = parseYaml(await readRecipe('collector-r2.yaml')).receivers
      .awss3;
    const said = Object.fromEntries(
      [...alloy.matchAll(/^\s*(\w+)\s*= "?(.*?)"?$/gm)].map(([, key, value]) => [key, value]),
    );
    assert.equal(said['start_time'], starttime);
    assert.equal(said['end_time'], endtime);
    for (const key of ['region', 's3_force_path_style', 's3_bucket', 's3_prefix'])
      assert.equal(said[key], String(s3downloader[key]));
    assert.equal(alloy.split('{').length, alloy.split('}').length);
  });

  test('every recipe is tested', async () => {
    const tested = [
      ...YAML,
      'alloy-r2.alloy',
      'duckdb-spans.sql',
      'duckdb-parquet.sql',
      'clickhouse-tables.sql',
      'clickhouse-insert.sql',
      'clickhouse-s3queue.sql',
      // See `logs.test.mjs`.
      'clickhouse-logs.sql',
      'duckdb-logs.sql',
    ];
    const there = await readdir(new URL('../../demo/recipes/', import.meta.url));
    assert.deepEqual(there.filter((name) => name !== 'README.md').sort(), tested.sort());
  });
});
