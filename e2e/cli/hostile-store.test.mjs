// A store that lists more than was asked for, or nonsense: nothing of it is sent, deleted, or written to a file.
//
// Of the kind were tried: keys outside of the prefix, and such as begin like it; `..`, `.`, absolute ones, backslashes,
// NUL and other control characters, names of Windows' devices, capitals, entities of XML, folders, the same key twice,
// another order, pages that come again, tokens that never end, a store that does not know `start-after`; in the folder:
// files that are there, links in the place of files and of folders, and what a pull left that was killed.
import assert from 'node:assert/strict';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { spandrel } from './run-command.mjs';

const LIMIT = { timeout: 120_000 };
const HOUR = 'otlp/v1/shop/production/year=2026/month=11/day=20/hour=23/minute=58';
/** @param {number} n */
const keyOf = (n) => `${HOUR}/traces_019a0000-0000-7000-8000-${String(n).padStart(12, '0')}.json.gz`;
const GOOD = [1, 2, 3].map(keyOf);
const OUTSIDE = [
  ...['package.json', 'other/traces_a.json.gz', 'otlp/v2/traces_a.json.gz', 'otlp', '/etc/passwd', '//x'],
  ...[
    '../x.json.gz',
    '../../package.json',
    '..\\package.json',
    'C:\\x',
    '%2e%2e/x',
    'OTLP/V1/x.json.gz',
    ' otlp/v1/x',
  ],
  ...['\u0000', 'quarantine/x', 'spandrel-state/done/x.json', 'zzz/traces_z.json.gz'],
];
/** Below the prefix, and odd. */
const ODD = [
  ...[
    'otlp/v1/../../package.json',
    'otlp/v1/../../../other/x.json.gz',
    'otlp/v1/./x.json.gz',
    'otlp/v1/a/..',
  ],
  ...['otlp/v1/a\\..\\..\\package.json', 'otlp/v1/con/nul.json', 'otlp/v1/shop/', 'otlp/v1//x.json'],
  ...['otlp/v1/A.json', 'otlp/v1/a.json', 'otlp/v1/a&b<c>.json', 'otlp/v1/-rf', 'otlp/v1/C:x.json'],
];

/** @param {string} text */
const written = (text) => text.replace(/[&<>]|\p{Cc}/gu, (char) => `&#${char.charCodeAt(0)};`);
/** @param {string[]} keys @param {string} [token] */
const page = (keys, token) =>
  `<ListBucketResult>${keys
    .map((key) => `<Contents><Key>${written(key)}</Key><Size>300</Size></Contents>`)
    .join('')}<IsTruncated>${token !== undefined}</IsTruncated>${
    token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`
  }</ListBucketResult>`;

/** @param {number} n */
const bytesOf = (n) => {
  const time = `${Date.now()}000000`;
  const span = { traceId: String(n).padStart(32, '1'), spanId: '1'.repeat(16), name: `span ${n}`, kind: 1 };
  const spans = [{ ...span, startTimeUnixNano: time, endTimeUnixNano: time }];
  return gzipSync(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
};

/** @type {string[]} Other requests than listings. */
let asked = [];
/** @type {string[]} */
let taken = [];
let listings = 0;
/** @type {string} */
let folder;
beforeEach(async () => {
  [asked, taken, listings] = [[], [], 0];
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-hostile-'));
});
afterEach(() => rm(folder, { recursive: true }));

/**
 * A store that lists what it likes below `otlp/`, and takes whatever comes.
 *
 * @param {import('node:test').TestContext} t
 * @param {(query: URLSearchParams) => string} list
 */
async function startStore(t, list) {
  const store = await listen(async (req, res) => {
    const url = new URL(req.url ?? '/', 'http://store');
    for await (const _ of req);
    if (url.searchParams.has('list-type')) {
      listings += 1;
      const isTraces = url.searchParams.get('prefix')?.startsWith('otlp/');
      return void res.end(isTraces ? list(url.searchParams) : page([]));
    }
    asked.push(`${req.method} ${decodeURIComponent(url.pathname)}`);
    const n = Number(/(\d{12})\.json\.gz$/.exec(url.pathname)?.[1] ?? 9);
    res.end(req.method === 'GET' ? bytesOf(n) : '');
  });
  t.after(store.close);
  const backend = await listen(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    for (const [, name = ''] of gunzipSync(Buffer.concat(chunks))
      .toString()
      .matchAll(/"name":"(span \d+)"/g))
      taken.push(name);
    res.setHeader('content-type', 'application/json').end('{}');
  });
  t.after(backend.close);
  const flags = ['--bucket', 'traces', '--s3-endpoint', store.origin];
  const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b-secret' };
  return {
    /** @param {string[]} args */
    pull: (...args) => spandrel(['pull', folder, ...flags, '--json', ...args], env),
    /** @param {string[]} args */
    forward: (...args) =>
      spandrel(['forward', '--to', backend.origin, '--after', 'delete', ...flags, '--json', ...args], env),
  };
}

const files = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();

/** Requests for objects that are not below the prefix, nor our own notes. */
const strays = () =>
  asked.filter((one) => !/^[A-Z]+ \/traces\/(otlp\/v1\/|spandrel-state\/|quarantine\/)/.test(one));

test('pull: what a store lists beside what was asked for is written nowhere', LIMIT, async (t) => {
  const { pull } = await startStore(t, () => page([...OUTSIDE, ...GOOD, ...ODD, ...GOOD]));
  await writeFile(path.join(folder, 'package.json'), 'mine');
  const { json } = await pull('--prefix', 'otlp/v1/');
  assert.deepEqual(strays(), []);
  assert.equal(await readFile(path.join(folder, 'package.json'), 'utf8'), 'mine');
  const found = await files();
  assert.deepEqual(
    found.filter((name) => !name.startsWith(path.join('otlp', 'v1'))),
    ['package.json'],
  );
  for (const key of GOOD) assert.ok(found.includes(path.normalize(key)), key);
  assert.ok(['a', 'A'].every((name) => found.some((one) => one.endsWith(`${path.sep}${name}.json`))));
  assert.equal(json.listed, GOOD.length + ODD.length);
  assert.deepEqual(
    await readdir(path.dirname(folder)).then((names) => names.includes('package.json')),
    false,
  );
});

test(
  'forward: what a store lists beside what was asked for is neither read nor deleted',
  LIMIT,
  async (t) => {
    const { forward } = await startStore(t, () => page([...OUTSIDE, ...GOOD, ...ODD, ...GOOD]));
    const { json } = await forward();
    assert.deepEqual(strays(), []);
    assert.deepEqual(taken.sort(), ['span 1', 'span 2', 'span 3']);
    assert.equal(json.ended, 'done');
    assert.equal(json.listed, GOOD.length + ODD.length);
    for (const key of GOOD) assert.ok(asked.includes(`DELETE /traces/${key}`));
  },
);

for (const [
  what,
  list,
  count,
  ended,
] of /** @type {[string, (query: URLSearchParams) => string, number, RegExp | undefined][]} */ ([
  ['another order', () => page([...GOOD].reverse()), 3, undefined],
  [
    'another order, page after page',
    (query) => (query.has('continuation-token') ? page([keyOf(1)]) : page([keyOf(2), keyOf(3)], 'x')),
    2,
    /not in the order of keys/,
  ],
  ['one page for ever', () => page(GOOD, 'same'), 3, /lists the same objects again/],
  ['new tokens and nothing else for ever', () => page([], `token-${listings}`), 0, /no progress/],
  ['only what lies outside, for ever', () => page(OUTSIDE, 'same'), 0, /no progress/],
]))
  test(`pull and forward: a listing in ${what}`, LIMIT, async (t) => {
    const { pull, forward } = await startStore(t, list);
    const pulled = await pull();
    assert.equal(pulled.code, ended ? 1 : 0, pulled.stderr);
    if (ended) assert.match(pulled.stderr, ended);
    assert.equal((await files()).length, count);
    const { json } = await forward();
    assert.equal(json.sent, count);
    assert.equal(json.ended, ended ? 'store-failed' : 'done');
    if (ended) assert.match(json.message, ended);
    assert.equal(taken.length, count);
    assert.ok(listings < 300, `${listings} listings`);
    assert.deepEqual(strays(), []);
  });

test(
  'pull and forward: a store that does not know start-after is read from its beginning, to its end',
  LIMIT,
  async (t) => {
    const many = Array.from(
      { length: 50 },
      (_, day) =>
        `otlp/v1/shop/production/year=2026/month=09/day=01/hour=00/minute=${String(day).padStart(2, '0')}/traces_019a0000-0000-7000-8000-${String(100 + day).padStart(12, '0')}.json.gz`,
    );
    const all = [...many, ...GOOD];
    const { pull } = await startStore(t, (query) => {
      const at = Number(query.get('continuation-token') ?? 0);
      return page(all.slice(at, at + 10), at + 10 < all.length ? String(at + 10) : undefined);
    });
    const { json, code } = await pull('--from', '2026-11-20');
    assert.deepEqual([code, json.written], [0, 3]);
  },
);

test(
  'pull: links in the folder are replaced or refused, and what a killed pull left goes',
  LIMIT,
  async (t) => {
    const { pull } = await startStore(t, () => page(GOOD));
    const outside = await mkdtemp(path.join(tmpdir(), 'spandrel-outside-'));
    t.after(() => rm(outside, { recursive: true }));
    // As large as what is listed, so that it looks as if it were there.
    await writeFile(path.join(outside, 'victim'), 'x'.repeat(300));
    const [first = ''] = GOOD;
    await mkdir(path.join(folder, HOUR), { recursive: true });
    await symlink(path.join(outside, 'victim'), path.join(folder, first));
    const partial = path.join(folder, '.spandrel-partial');
    await mkdir(partial);
    const left = path.join(partial, '1-0123456789abcdef');
    await writeFile(left, 'half');
    await utimes(left, 1, 1);
    const { json, code, stderr } = await pull();
    assert.deepEqual([code, json.written], [0, 3], stderr);
    assert.equal(await readFile(path.join(outside, 'victim'), 'utf8'), 'x'.repeat(300));
    await assert.rejects(readlink(path.join(folder, first)));
    assert.deepEqual(await readdir(folder), ['otlp']);

    await symlink(outside, partial);
    const refused = await pull();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /a link leads out of the folder/);
    assert.deepEqual(await readdir(outside), ['victim']);
  },
);
