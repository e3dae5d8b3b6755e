// `spandrel doctor` on a set-up that is well, and on many that are not.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { defaultRules } from '../../demo/mock-r2/mock-r2.mjs';
import { makeCertificate } from '../../demo/testing/certificate.mjs';
import { CLI, CLOCK, spandrel } from './run-command.mjs';
import { startProxy, startSite } from './site.mjs';

/** Miniflare takes a while to start on a machine that has much else to do. */
const LIMIT = { timeout: 120_000 };

/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
before(async () => {
  site = await startSite({ ingest: { maxUploadBytes: 65_536 } });
});
after(() => site.close());
afterEach(() => {
  site.mend();
  site.host.mock.setCors({ rules: defaultRules([site.origin]) });
});

/** A rule that deletes what is old, as the store words it. */
const LIFECYCLE =
  '<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>otlp/</Prefix></Filter><Expiration><Days>30</Days></Expiration></Rule></LifecycleConfiguration>';

/** @param {number} status @param {string} body @returns {import('./site.mjs').Spoiler} */
const lifecycle = (status, body) => ({
  answer(req, res) {
    if (!req.url?.includes('lifecycle')) return false;
    res.writeHead(status, { 'content-type': 'application/xml' }).end(body);
    return true;
  },
});

/**
 * Runs doctor with `--json` and looks for what must never be printed.
 *
 * @param {string[]} [args]
 * @param {Record<string, string>} [env]
 */
async function examine(args = [], env = {}) {
  const run = await spandrel(
    ['doctor', '--endpoint', site.endpointUrl, '--origin', site.origin, '--json', ...args],
    env,
  );
  expectNoSecret(run);
  const { findings, ...rest } = run.json;
  const by = (/** @type {string} */ id) => findings.find((/** @type {any} */ one) => one.id === id);
  const failed = findings
    .filter((/** @type {any} */ { status }) => status === 'fail')
    .map((/** @type {any} */ { id }) => id);
  return { ...run, findings, ...rest, by, failed };
}

/** @param {import('./run-command.mjs').Run} run */
function expectNoSecret({ stdout, stderr }) {
  const output = stdout + stderr;
  for (const secret of [...Object.values(site.ownerEnv), 'X-Amz-Signature', 'X-Amz-Credential', 'relay=']) {
    assert.ok(!output.includes(secret), `${secret} is printed`);
  }
}

const asOwner = () => examine(site.ownerFlags, site.ownerEnv);

test('doctor: a set-up that is well is well in every point, and nothing is left behind', LIMIT, async () => {
  site.store.spoil(lifecycle(200, LIFECYCLE));
  const { code, findings, leftKeys, settings, stderr } = await asOwner();
  const others = findings.filter((/** @type {any} */ { status }) => status !== 'ok');
  assert.deepEqual(
    others.map((/** @type {any} */ { id, status, seen }) => [id, status, seen]),
    [
      ['endpoint.https', 'skip', 'loopback'],
      ['page.csp', 'skip', 'give --page to have its policy looked at'],
    ],
  );
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.deepEqual(leftKeys, []);
  assert.deepEqual(await site.host.mock.bucket.list(), []);
  assert.deepEqual(settings.corsS3.CORSRules[0].AllowedHeaders, ['content-type', 'if-none-match']);
});

test(
  'doctor: what it uploads is one span of its own service, of the length that was signed',
  LIMIT,
  async () => {
    const { leftKeys, by } = await examine();
    assert.match(by('owner.delete').seen, /no credentials.*2 objects stay/);
    const objects = await site.host.mock.bucket.list();
    assert.deepEqual(objects.map(({ key }) => key).sort(), leftKeys.sort());
    assert.ok(objects.some(({ size }) => size === 1_024));
    for (const { key } of objects) {
      const bytes = (await site.host.mock.bucket.get(key)) ?? new Uint8Array();
      const stream = new Blob([/** @type {any} */ (bytes)])
        .stream()
        .pipeThrough(new DecompressionStream('gzip'));
      const { resourceSpans } = JSON.parse(await new Response(stream).text());
      assert.equal(resourceSpans[0].resource.attributes[0].value.stringValue, 'spandrel-doctor');
      assert.equal(resourceSpans[0].scopeSpans[0].spans.length, 1);
    }
    await site.host.mock.bucket.clear();
  },
);

/** @param {Partial<import('../../demo/mock-r2/cors.mjs').CorsRule>} change */
const rule = (change) => ({
  AllowedOrigins: [site.origin],
  AllowedMethods: ['PUT'],
  AllowedHeaders: ['content-type', 'if-none-match'],
  ...change,
});

/** What is spoilt, what must fail, and what must be said of it. @type {[what: string, spoil: () => void, failed: string[], said: RegExp][]} */
const BROKEN = [
  [
    'CORS rules without if-none-match',
    () => site.host.mock.setCors({ rules: [rule({ AllowedHeaders: ['content-type'] })] }),
    ['bucket.preflight'],
    /OPTIONS answers 403 .*; not in AllowedHeaders: if-none-match$/,
  ],
  [
    'no CORS rules',
    () => site.host.mock.setCors({ rules: [] }),
    ['bucket.preflight', 'bucket.cors'],
    /no Access-Control-Allow-Origin/,
  ],
  [
    'CORS rules for another page',
    () => site.host.mock.setCors({ rules: defaultRules(['https://other.example']) }),
    ['bucket.preflight', 'bucket.cors'],
    /; the origin or the method is in no rule/,
  ],
  [
    'CORS rules for another method',
    () => site.host.mock.setCors({ rules: [rule({ AllowedMethods: ['POST'] })] }),
    ['bucket.preflight', 'bucket.cors'],
    /PUT with content-type, if-none-match/,
  ],
  [
    'an endpoint that is down',
    () => site.host.mock.faults.set('endpoint', { kind: 'down' }),
    ['endpoint.reach'],
    /reset|broke off|no answer/,
  ],
  [
    'an endpoint that limits',
    () => site.host.mock.faults.set('endpoint', { kind: 'status', status: 429, retryAfter: 7 }),
    ['endpoint.exchange'],
    /429 rate_limited, Retry-After 7/,
  ],
  [
    'an endpoint that fails',
    () => site.host.mock.faults.set('endpoint', { kind: 'status', status: 500 }),
    ['endpoint.exchange'],
    /^500/m,
  ],
  [
    'a bucket that is down',
    () => site.host.mock.faults.set('bucket', { kind: 'down' }),
    ['bucket.upload'],
    /reset|broke off|no answer/,
  ],
  [
    'a bucket that refuses',
    () => site.host.mock.faults.set('bucket', { kind: 'status', status: 403 }),
    ['bucket.upload'],
    /403 \w+/,
  ],
  [
    'a store that the endpoint cannot reach',
    () => site.host.mock.faults.set('store', { kind: 'down' }),
    ['relay.store', 'relay.confirm'],
    /502 storage_failed/,
  ],
  [
    'a signer far behind the bucket',
    () => site.host.mock.faults.set('bucket', { kind: 'clock', shiftMillis: 1_200_000 }),
    ['bucket.upload'],
    /403 ExpiredRequest/,
  ],
  [
    "a bucket's clock that is ahead",
    () => site.bucket.spoil(shiftedDate(1_200_000)),
    ['clock.bucket'],
    /the signer is 20 min behind the bucket/,
  ],
  [
    "an endpoint's clock that is behind",
    () => site.endpoint.spoil(shiftedDate(-1_200_000)),
    ['clock.endpoint'],
    /20 min behind this machine/,
  ],
  [
    'a public bucket',
    () =>
      site.bucket.spoil({
        answer(req, res) {
          if (req.method !== 'GET' || req.url?.includes('X-Amz')) return false;
          res.writeHead(200).end(req.url?.includes('list-type') ? '<ListBucketResult/>' : 'bytes');
          return true;
        },
      }),
    ['bucket.public', 'bucket.public-list'],
    /unsigned GET of the object gets 200/,
  ],
  [
    'a store that overwrites',
    () => {
      let puts = 0;
      site.bucket.spoil({
        answer(req, res) {
          if (req.method !== 'PUT' || req.headers['content-type'] !== 'application/gzip') return false;
          // The first is that with a wrong length.
          puts += 1;
          if (puts < 3) return false;
          req
            .resume()
            .once('end', () => res.writeHead(200, { 'access-control-allow-origin': site.origin }).end());
          return true;
        },
      });
    },
    ['bucket.write-once'],
    /a second upload gets 200/,
  ],
  [
    'an answer that caches keep',
    () => site.endpoint.spoil(withHeader('cache-control', () => 'max-age=60')),
    ['endpoint.no-store'],
    /max-age=60/,
  ],
  [
    "an endpoint's CORS headers that a proxy takes away",
    () => site.endpoint.spoil({ headers: (headers) => void delete headers['access-control-allow-origin'] }),
    ['endpoint.cors'],
    /no Access-Control-Allow-Origin/,
  ],
];

/** @param {string} name @param {() => string} value @returns {import('./site.mjs').Spoiler} */
function withHeader(name, value) {
  return {
    headers(headers) {
      headers[name] = value();
    },
  };
}

/** @param {number} millis */
function shiftedDate(millis) {
  return withHeader('date', () => new Date(Date.now() + millis).toUTCString());
}

for (const [what, spoil, failed, said] of BROKEN)
  test(`doctor: names ${what}`, LIMIT, async () => {
    spoil();
    const examined = await examine();
    assert.deepEqual(examined.failed, failed);
    assert.equal(examined.code, 1);
    assert.equal(examined.ok, false);
    const blamed = examined.findings.filter((/** @type {any} */ { status }) => status === 'fail');
    assert.match(blamed.map((/** @type {any} */ { seen }) => seen).join('\n'), said);
    for (const { advice } of blamed) assert.ok(advice);
    site.mend();
    await site.host.mock.bucket.clear();
  });

test('doctor: an origin that may not call', LIMIT, async () => {
  const { by, code } = await examine(['--origin', 'https://other.example']);
  assert.equal(by('endpoint.exchange').seen, '403 forbidden_origin');
  assert.match(by('endpoint.exchange').advice, /add "https:\/\/other\.example" to allowedOrigins/);
  assert.equal(by('bucket.upload').seen, 'not reached');
  assert.equal(code, 1);
});

test('doctor: rules that let everybody in are told, and are no fault', LIMIT, async () => {
  site.host.mock.setCors({ rules: defaultRules(['*']) });
  const { by, code } = await examine();
  assert.equal(by('bucket.preflight-foreign').status, 'warn');
  assert.equal(code, 0);
  await site.host.mock.bucket.clear();
});

test(
  'doctor: names that do not resolve, ports where nothing listens, hosts that never answer',
  LIMIT,
  async () => {
    const at = async (/** @type {string} */ endpoint) =>
      (await examine(['--endpoint', endpoint, '--timeout', '1'])).by('endpoint.reach').seen;
    assert.match(await at('http://nowhere.invalid/spandrel'), /does not resolve/);
    const gone = await startProxy(() => new URL('http://127.0.0.1'));
    await gone.close();
    assert.match(await at(gone.origin), /refused/);
    site.host.mock.faults.set('endpoint', { kind: 'hang' });
    assert.match(await at(site.endpointUrl), /no answer within 1 s/);
  },
);

test('doctor: a certificate that nobody trusts, and one that is trusted', LIMIT, async (context) => {
  const tls = await makeCertificate();
  const proxy = await startProxy(() => new URL(site.host.mock.endpointOrigin), tls);
  context.after(() => proxy.close());
  const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-doctor-'));
  await writeFile(path.join(folder, 'ca.pem'), tls.cert);
  const args = ['--endpoint', `${proxy.origin}/spandrel`];
  assert.match((await examine(args)).by('endpoint.reach').seen, /TLS failed/);
  const trusted = await examine(args, { NODE_EXTRA_CA_CERTS: path.join(folder, 'ca.pem') });
  assert.deepEqual([trusted.by('endpoint.https').status, trusted.code], ['ok', 0]);
  await rm(folder, { recursive: true });
  await site.host.mock.bucket.clear();
});

test('doctor: lifecycle rules', LIMIT, async () => {
  const none = '<Error><Code>NoSuchLifecycleConfiguration</Code></Error>';
  const tell = async (
    /** @type {number} */ status,
    /** @type {string} */ body,
    /** @type {string[]} */ more = [],
  ) => {
    site.store.spoil(lifecycle(status, body));
    const { by, code } = await examine([...site.ownerFlags, ...more], site.ownerEnv);
    return [by('bucket.lifecycle').status, by('bucket.lifecycle').seen, code];
  };
  assert.deepEqual(await tell(200, LIFECYCLE), ['ok', 'after 30 days', 0]);
  assert.deepEqual(await tell(404, none), [
    'warn',
    'there is none: what visitors did is kept, and paid for, for ever',
    0,
  ]);
  assert.deepEqual(await tell(404, none, ['--ignore', 'bucket.lifecycle']), [
    'skip',
    'ignored: there is none: what visitors did is kept, and paid for, for ever',
    0,
  ]);
  const changes = { 'otlp/': 'other/', Enabled: 'Disabled', Expiration: 'Transition' };
  for (const [from, to] of Object.entries(changes)) {
    assert.deepEqual(await tell(200, LIFECYCLE.replaceAll(from, to)), [
      'warn',
      'no rule deletes what is under otlp/v1/',
      0,
    ]);
  }
  assert.deepEqual(await tell(501, '<Error><Code>NotImplemented</Code></Error>'), [
    'skip',
    'the store does not tell: 501 NotImplemented',
    0,
  ]);
});

test('doctor: credentials of another bucket, and wrong ones', LIMIT, async () => {
  const wrong = await examine(site.ownerFlags, {
    ...site.ownerEnv,
    AWS_SECRET_ACCESS_KEY: 'quite another secret',
  });
  assert.equal(wrong.by('owner.read').status, 'fail');
  assert.match(wrong.by('owner.read').seen, /403/);
  assert.equal(wrong.leftKeys.length, 2);
  const half = await spandrel(['doctor', '--endpoint', site.endpointUrl, ...site.ownerFlags], {
    AWS_ACCESS_KEY_ID: 'x',
  });
  assert.deepEqual([half.code, half.stdout], [2, '']);
  assert.match(half.stderr, /^error: AWS_SECRET_ACCESS_KEY is not in the environment/);
  await site.host.mock.bucket.clear();
});

test('doctor: the policy of a page, in its header and in the document', LIMIT, async () => {
  const check = async (/** @type {string} */ header, html = '') => {
    const page = site.host.page('/page', html, {
      headers: header ? { 'content-security-policy': header } : {},
    });
    const { by, settings } = await examine(['--page', page]);
    return { ...by('page.csp'), line: settings.csp };
  };
  const endpoint = new URL(site.endpointUrl).origin;
  assert.equal((await check('')).seen, 'no policy restricts connections');
  const blocked = await check("default-src 'self'");
  assert.deepEqual(
    [blocked.status, blocked.seen],
    ['fail', `connect-src lacks ${endpoint} and ${site.bucket.origin}`],
  );
  assert.equal(blocked.line, `connect-src ${endpoint} ${site.bucket.origin}`);
  assert.equal((await check(`default-src 'none'; ${blocked.line}`)).status, 'ok');
  const meta = `<head><meta http-equiv="Content-Security-Policy" content="connect-src ${endpoint}"></head>`;
  assert.equal((await check('', meta)).seen, `connect-src lacks ${site.bucket.origin}`);
  assert.equal((await check(blocked.line, meta)).status, 'fail', 'each policy counts');
  await site.host.mock.bucket.clear();
});

/** What an endpoint that means harm may answer. @type {[what: string, answer: (res: import('node:http').ServerResponse) => void, said: RegExp][]} */
const HOSTILE = [
  ['HTML', (res) => res.end('<html>'), /not JSON/],
  ['nothing', (res) => res.end(), /not JSON/],
  ['another version', (res) => res.end('{"v":1,"uploads":[]}'), /not of version 2/],
  ['null', (res) => res.end('null'), /not a JSON object/],
  [
    'a redirect',
    (res) => res.writeHead(301, { location: 'https://other.example/%1b[2J' }).end(),
    /it redirects \(301\) to https:\/\/other\.example/,
  ],
  ['a redirect to nowhere', (res) => res.writeHead(302).end(), /redirects \(302\) to nowhere/],
  [
    'a body without end',
    (res) => {
      const more = () => res.destroyed || res.write(Buffer.alloc(65_536, 32), more);
      more();
    },
    /not JSON/,
  ],
  [
    'an error with a code that is none',
    (res) => res.writeHead(400).end('{"error":{"code":"\u001b]0;x"}}'),
    /400 \(not an answer/,
  ],
  ['an upload without URL', (res) => res.end('{"v":2,"uploads":[{"method":"PUT"}]}'), /no http\(s\) URL/],
  ['an upload to a file', (res) => res.end(answerWith({ url: 'file:///etc/passwd' })), /no http\(s\) URL/],
  [
    'an upload that sets Host',
    (res) => res.end(answerWith({ headers: { Host: 'other' } })),
    /not for it to set/,
  ],
  [
    'an upload that splits headers',
    (res) => res.end(answerWith({ headers: { a: 'b\r\nc: d' } })),
    /header that is none/,
  ],
];

/** @param {object} change */
const answerWith = (change) =>
  JSON.stringify({
    v: 2,
    uploads: [
      {
        id: '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f',
        method: 'PUT',
        url: 'http://127.0.0.1:9/a',
        headers: {},
        expiresInMs: 1,
        ...change,
      },
    ],
    config: {},
  });

for (const [what, answer, said] of HOSTILE)
  test(`doctor: an endpoint that answers with ${what}`, LIMIT, async () => {
    site.endpoint.spoil({
      answer: (req, res) => {
        req.resume();
        answer(res);
        return true;
      },
    });
    const run = await spandrel(['doctor', '--endpoint', site.endpointUrl, '--timeout', '10']);
    assert.equal(run.code, 1, run.stderr);
    assert.match(run.stdout, said);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them.
    assert.doesNotMatch(run.stdout + run.stderr, /[\u0000-\u0009\u000b-\u001f]/);
  });

const hasPty = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false;

test('doctor --fix: asks on a terminal, says what it would write, and writes what is agreed to', {
  ...LIMIT,
  skip: hasPty ? false : 'no script(1) here',
}, async () => {
  /** @type {string | undefined} */
  let rules;
  let puts = 0;
  site.store.spoil({
    answer(req, res) {
      if (!req.url?.includes('lifecycle')) return false;
      let body = '';
      req.on('data', (text) => (body += text));
      req.on('end', () => {
        if (req.method === 'PUT') [rules, puts] = [body, puts + 1];
        const none = '<Error><Code>NoSuchLifecycleConfiguration</Code></Error>';
        res
          .writeHead(req.method === 'PUT' || rules ? 200 : 404)
          .end(req.method === 'PUT' ? '' : (rules ?? none));
      });
      return true;
    },
  });
  /** @param {string} reply */
  const answering = async (reply) => {
    const args = [
      CLI,
      'doctor',
      '--endpoint',
      site.endpointUrl,
      '--origin',
      site.origin,
      ...site.ownerFlags,
      '--fix',
    ];
    const command = [process.execPath, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', ...CLOCK, ...site.ownerEnv },
    });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
      if (!said.includes('[y/N]') || child.stdin.writableEnded) return;
      child.stdin.end(`${reply}\n`);
    });
    const [code] = await once(child, 'close');
    return { code, said };
  };
  const no = await answering('n');
  assert.match(
    no.said,
    /lifecycle rules of \S+ are, before --fix:\s+none\s+and will be:\s+<LifecycleConfiguration/,
  );
  assert.match(no.said, /To undo it: aws s3api delete-bucket-lifecycle --bucket/);
  assert.match(no.said, /lifecycle rules: declined/);
  assert.deepEqual([puts, no.code], [0, 0]);
  const yes = await answering('yes');
  assert.match(yes.said, /lifecycle rules: written/);
  assert.match(yes.said, /old objects are deleted by a rule +after 30 days/);
  assert.deepEqual([puts, yes.code], [1, 0]);
  assert.match(rules ?? '', /<Prefix>otlp\/v1\/<\/Prefix>.*<Days>30</);
});
