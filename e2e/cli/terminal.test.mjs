// What every command has in common: help, exit codes, colours, pipes.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { CLI, CLOCK, spandrel } from './run-command.mjs';
import { startSite } from './site.mjs';

const LIMIT = { timeout: 120_000 };
const COMMANDS = ['doctor', 'forward', 'view', 'pull'];
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours are made of.
const COLOUR = /\u001b\[\d+m/;
const HIDE_CURSOR = '\u001b[?25l';

/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
/** @type {string} */
let folder;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-terminal-'));
  site = await startSite();
  const { s3 } = await import('../../dist/server.js');
  await s3(site.host.mock.owner).put('otlp/v1/a.json.gz', new Uint8Array(gzipSync('{"resourceSpans":[]}')));
});
after(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

test('help: every command has it, with examples, on stdout', async () => {
  const whole = await spandrel(['--help']);
  assert.equal(whole.code, 0);
  assert.match(whole.stdout, /Exit codes: 0 .* 1 .* 2 .*130/s);
  for (const command of COMMANDS) {
    assert.match(whole.stdout, new RegExp(`^ +${command} `, 'm'));
    for (const args of [
      [command, '--help'],
      ['help', command],
    ]) {
      const { code, stdout, stderr } = await spandrel(args);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, new RegExp(`Examples:\n +spandrel ${command} `));
      assert.match(stdout, /--json/);
    }
  }
});

test('exit codes: what cannot be used is 2, and says what was meant', async () => {
  for (const [args, said] of /** @type {[string[], RegExp][]} */ ([
    [['docter'], /unknown command 'docter'\n\(Did you mean doctor\?\)/],
    [['doctor'], /required option '--endpoint <url>' not specified/],
    [['doctor', '--endpoint', 'https://a.example', '--orgin', 'x'], /\(Did you mean --origin\?\)/],
    [['doctor', '--endpoint', 'shop'], /--endpoint takes an http\(s\) URL/],
    [['doctor', '--endpoint', 'https://u:hunter2@shop.example'], /without user and password/],
    [
      ['doctor', '--endpoint', 'https://a.example', '--ignore', 'all'],
      /It takes endpoint\.https, endpoint\.reach, /,
    ],
    [['forward', '--to', 'localhost:4318', '--after', 'keep'], /http\(s\) URL/],
    [['forward', '--to', 'http://localhost:4318'], /--after <what>/],
    [['forward', '--to', 'http://localhost:4318', '--after', 'burn'], /delete, move, keep/],
    [[], /Usage: spandrel/],
  ])) {
    const { code, stdout, stderr } = await spandrel(args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /hunter2|\n +at /);
  }
});

test('version: that of the package', async () => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  assert.equal((await spandrel(['--version'])).stdout, `${manifest.version}\n`);
});

test('errors: a stack only when it is asked for', async () => {
  const args = ['view', '--bucket', 'traces', '--s3-endpoint', 'http://127.0.0.1:9'];
  const env = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'the secret key' };
  const plain = await spandrel(args, env);
  assert.deepEqual(
    [plain.code, plain.stderr],
    [
      1,
      'error: bucket "traces" at 127.0.0.1:9: the store did not answer GET; check --s3-endpoint, and whether a firewall is in the way\n',
    ],
  );
  for (const run of [
    await spandrel([...args, '--verbose'], env),
    await spandrel(args, { ...env, DEBUG: '1' }),
  ]) {
    assert.match(run.stderr, /\n +at .*\ncaused by/s);
    assert.doesNotMatch(run.stderr, /the secret key|AWS4-HMAC/);
  }
});

test('pipes: a reader that stops reading is no error', LIMIT, async () => {
  const many = path.join(folder, 'out');
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    `"${process.execPath}" "${CLI}" doctor --endpoint "${site.endpointUrl}" --origin "${site.origin}" --settings 2>"${many}" | head -n 1; cat "${many}"`,
  ]);
  assert.equal(stdout, '– the endpoint speaks HTTPS  loopback\n');
});

const hasPty = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false;

/** Runs the command on a terminal of its own. @param {string[]} args @param {Record<string, string>} [env] */
async function onTerminal(args, env = {}) {
  const quoted = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  const child = promisify(execFile)('script', ['-qec', quoted, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...CLOCK, ...site.ownerEnv, ...env },
  });
  child.child.stdin?.end();
  return (await child).stdout;
}

test('terminal: colours and a bar for who watches', {
  ...LIMIT,
  skip: hasPty ? false : 'no script(1) here',
}, async () => {
  const doctor = ['doctor', '--endpoint', site.endpointUrl, '--origin', site.origin];
  assert.match(await onTerminal(doctor), COLOUR);
  assert.doesNotMatch(await onTerminal(doctor, { NO_COLOR: '1' }), COLOUR);
  assert.doesNotMatch((await spandrel(doctor)).stdout, COLOUR);
  assert.match((await spandrel(doctor, { FORCE_COLOR: '1' })).stdout, COLOUR);

  const pull = ['pull', path.join(folder, 'pulled'), ...site.ownerFlags];
  assert.ok((await onTerminal(pull)).includes(HIDE_CURSOR));
  assert.ok(!(await onTerminal([...pull, '--json'])).includes(HIDE_CURSOR));
  assert.equal((await spandrel(pull, site.ownerEnv)).stderr, '');
});

test('json: one document on stdout, whatever is said beside it', LIMIT, async () => {
  await writeFile(path.join(folder, 'plain'), '');
  const runs = [
    ['doctor', '--endpoint', site.endpointUrl, '--origin', site.origin],
    ['doctor', '--endpoint', 'http://nowhere.invalid'],
    ['pull', path.join(folder, 'pulled')],
    ['forward', '--to', 'http://127.0.0.1:9', '--after', 'keep', '--dry-run'],
  ];
  for (const args of runs) {
    const { stdout } = await spandrel([...args, '--json', ...site.ownerFlags], {
      ...site.ownerEnv,
      FORCE_COLOR: '1',
    });
    assert.equal(typeof JSON.parse(stdout), 'object', args[0]);
    assert.doesNotMatch(stdout, COLOUR);
  }
});
