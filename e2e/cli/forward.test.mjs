// `spandrel forward` from the demo's bucket to a collector's stand-in.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { visits } from '../../demo/testing/visits.mjs';
import { spandrel, start } from './run-command.mjs';
import { startSite } from './site.mjs';

const LIMIT = { timeout: 120_000 };
// Yesterday's, as `forward --after keep` looks back over some days only.
const [YEAR, MONTH, DAY] = new Date(Date.now() - 86_400_000).toISOString().split(/[-T]/);
const FOLDER = `otlp/v1/shop/production/year=${YEAR}/month=${MONTH}/day=${DAY}/hour=23/minute=58`;
const SECRET = 'a-token-of-the-collector';

/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
/** @type {Awaited<ReturnType<typeof listen>>} */
let collector;
/** @type {{ url: string | undefined, headers: import('node:http').IncomingHttpHeaders, spans: any[] }[]} */
let received = [];
let status = 200;
/** Told of requests that are never answered, where it is set. @type {(() => void) | undefined} */
let hold;
before(async () => {
  site = await startSite();
  collector = await listen(async (req, res) => {
    if (hold) return hold();
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const text = req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    if (status === 200) {
      const spans = JSON.parse(text.toString()).resourceSpans.flatMap((/** @type {any} */ one) =>
        one.scopeSpans.flatMap((/** @type {any} */ scope) => scope.spans),
      );
      received.push({ url: req.url, headers: req.headers, spans });
    }
    res.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
});
after(async () => {
  await site.close();
  await collector.close();
});
beforeEach(async () => {
  received = [];
  status = 200;
  const { s3 } = await import('../../dist/server.js');
  const storage = s3(site.host.mock.owner);
  for (const [index, request] of visits({ sessions: 3 }).entries()) {
    await storage.put(`${FOLDER}/traces_${index}.json.gz`, new Uint8Array(gzipSync(JSON.stringify(request))));
  }
  await storage.put(`${FOLDER}/traces_bad.json.gz`, new Uint8Array(gzipSync('not JSON')));
});
afterEach(async () => {
  site.mend();
  await site.host.mock.bucket.clear();
});

/** @param {string[]} args */
const argsOf = (args) => ['forward', '--to', collector.origin, ...site.ownerFlags, ...args];
const keys = async (prefix = 'otlp/') => (await site.host.mock.bucket.list(prefix)).map(({ key }) => key);
const spanCount = () => received.reduce((sum, { spans }) => sum + spans.length, 0);

test('forward: sends what is there once, and deletes it', LIMIT, async () => {
  const run = await spandrel(argsOf(['--after', 'delete', '--json']), site.ownerEnv);
  assert.equal(run.code, 1, 'one object cannot be sent');
  const { sent, quarantined, spans, ended } = run.json;
  assert.deepEqual([sent, quarantined, ended], [3, { 'not-json': 1 }, 'done']);
  assert.equal(spans, spanCount());
  assert.ok(received.every(({ url }) => url === '/v1/traces'));
  assert.deepEqual(await keys(), []);
  assert.equal((await keys('quarantine/')).length, 2);
  received = [];
  const again = await spandrel(argsOf(['--after', 'delete', '--json']), site.ownerEnv);
  assert.deepEqual([again.code, again.json.listed, received.length], [0, 0, 0]);
});

test('forward: a dry run sends nothing and changes nothing', LIMIT, async () => {
  const before = await site.host.mock.bucket.list();
  const run = await spandrel(argsOf(['--after', 'delete', '--dry-run']), site.ownerEnv);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /would be sent +4/);
  assert.equal(received.length, 0);
  assert.deepEqual(await site.host.mock.bucket.list(), before);
});

test('forward: headers from the environment arrive, and are not printed', LIMIT, async () => {
  const args = [
    '--after',
    'keep',
    '--header',
    'X-Scope-OrgID=shop',
    '--header-env',
    'Authorization=OTLP_AUTH',
    '--verbose',
  ];
  const run = await spandrel(argsOf(args), { ...site.ownerEnv, OTLP_AUTH: `Bearer ${SECRET}` });
  assert.equal(run.code, 1, run.stdout + run.stderr);
  assert.deepEqual(
    [received[0]?.headers.authorization, received[0]?.headers['x-scope-orgid']],
    [`Bearer ${SECRET}`, 'shop'],
  );
  assert.match(run.stdout, /^sent +3 /m);
  assert.match(run.stdout, /^quarantined +1 +not-json$/m);
  for (const secret of [SECRET, ...Object.values(site.ownerEnv)])
    assert.ok(!(run.stdout + run.stderr).includes(secret));
});

test('forward: headers from a file arrive, and are not printed', LIMIT, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-forward-'));
  const file = path.join(folder, 'team');
  await writeFile(file, `${SECRET}\n`);
  const args = argsOf(['--after', 'keep', '--verbose', '--header-file', `x-honeycomb-team=${file}`]);
  const run = await spandrel(args, site.ownerEnv);
  assert.equal(received[0]?.headers['x-honeycomb-team'], SECRET, run.stderr);
  assert.ok(!(run.stdout + run.stderr).includes(SECRET));
  await writeFile(file, `${SECRET}\nmore`);
  assert.equal((await spandrel(args, site.ownerEnv)).code, 2);
  await rm(folder, { recursive: true });
  assert.equal((await spandrel(args, site.ownerEnv)).code, 2);
});

test('forward: says which time it looked at, and how to look further', LIMIT, async () => {
  const run = await spandrel(argsOf(['--after', 'keep']), site.ownerEnv);
  assert.match(
    run.stdout,
    /^looked at what was stored since \d{4}-\d\d-\d\d \d\d:\d\d UTC, as far back as --after keep goes; --from 30d looks further back$/m,
  );
  const { json } = await spandrel(argsOf(['--after', 'keep', '--json']), site.ownerEnv);
  const week = 7 * 86_400_000;
  assert.ok(Math.abs(json.window.fromMillis - (json.startedAtMillis - week)) < 60_000);
  assert.deepEqual(
    [json.window.lookBackMinutes, json.window.hint],
    [10_080, '--from 30d looks further back'],
  );
  const all = await spandrel(
    argsOf(['--after', 'keep', '--from', '2020-01-01', '--until', '1h']),
    site.ownerEnv,
  );
  assert.match(all.stdout, /^looked at what was stored since 2020-01-01 00:00 and before .* UTC$/m);
  const deleted = await spandrel(argsOf(['--after', 'delete', '--json']), site.ownerEnv);
  assert.deepEqual(deleted.json.window, {});
});

// Of the kind were tried: names of ten vendors and none, known values under a harmless name, each flag given what another
// takes, a URL with a user, a password or a query.
test('forward: secrets on the command line are refused, and not repeated', LIMIT, async () => {
  for (const args of [
    ...['x-honeycomb-team', 'dd-api-key', 'x-sf', 'signoz-access', 'uptrace-dsn', 'x-plain', 'lightstep'].map(
      (name) => ['--header', `${name}=${SECRET}`],
    ),
    ['--header', `X-Scope-OrgID=Basic ${SECRET}`],
    ['--header-file', `x-honeycomb-team=${SECRET}`],
    ['--to', `http://127.0.0.1:1/?api-key=${SECRET}`],
    ['--to', `http://user:${SECRET}@127.0.0.1:1/`],
    ['--header', `Authorization=Bearer ${SECRET}`],
    ['--header', `x-api-key=${SECRET}`],
    ['--header', `x-plain=Bearer ${SECRET}`],
    ['--header-env', `Authorization=Bearer ${SECRET}`],
    ['--header-env', 'Authorization=NOT_SET'],
  ]) {
    const run = await spandrel(argsOf(['--after', 'keep', ...args]), site.ownerEnv);
    assert.deepEqual([run.code, run.stdout], [2, ''], args.join(' '));
    assert.ok(!run.stderr.includes(SECRET), run.stderr);
    assert.equal(received.length, 0);
  }
});

test('forward: an option that is no more says what to use', LIMIT, async () => {
  const { code, stderr } = await spandrel(
    ['forward', '--to', collector.origin, '--after', 'keep', '--merge-window', '5m', ...site.ownerFlags],
    site.ownerEnv,
  );
  assert.equal(code, 2);
  assert.match(
    stderr,
    /--merge-window.*nothing waits: `spandrel compact` puts the parts of a trace together/s,
  );
  assert.deepEqual(received, []);
});

test('forward: a backend that refuses its callers ends it with 1, and nothing is lost', LIMIT, async () => {
  status = 401;
  const run = await spandrel(argsOf(['--after', 'delete', '--json']), site.ownerEnv);
  assert.equal(run.code, 1);
  assert.notEqual(run.json.ended, 'done');
  assert.ok(run.json.left >= 3);
  assert.ok((await keys()).length >= 3);
});

test('forward: follows until Ctrl+C', LIMIT, async () => {
  const run = start(argsOf(['--after', 'delete', '--follow', '--interval', '1', '--json']), site.ownerEnv);
  await run.said(/each pass looks at all there is/);
  await run.said(/3 objects, \d+ spans, 1 quarantined/);
  const { s3 } = await import('../../dist/server.js');
  const later = new Uint8Array(gzipSync(JSON.stringify(visits({ sessions: 5 })[4])));
  await s3(site.host.mock.owner).put(`${FOLDER}/traces_later.json.gz`, later);
  await run.said(/1 object, \d+ spans/);
  run.child.kill('SIGINT');
  const { code, json } = await run.ended;
  assert.equal(code, 130);
  assert.deepEqual([json.sent, json.quarantined, json.spans], [4, 1, spanCount()]);
  assert.deepEqual(await keys(), []);
});

test('forward: a second Ctrl+C ends it at once, and nothing is lost', LIMIT, async () => {
  const asked = new Promise((resolve) => {
    hold = () => resolve(undefined);
  });
  const run = start(argsOf(['--after', 'delete']), site.ownerEnv);
  await asked;
  run.child.kill('SIGINT');
  run.child.kill('SIGTERM');
  const { code, stdout } = await run.ended;
  hold = undefined;
  assert.equal(code, 130);
  assert.doesNotMatch(stdout, /^sent/m);
  assert.ok((await keys()).length >= 3);
});
