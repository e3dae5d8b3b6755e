// The packed package, installed into an empty folder: the entries as the READMEs combine them, over Cloudflare's local R2,
// with stores that fail. Each promise of the design is held on what is shipped, here or in a suite that runs on `dist/`:
//
// 1. Nothing is lost silently: here, "server and edge" (`stats()` after each step), "server and forward" and the consumers
//    (each object is sent, quarantined or left, and said to be so). In pages: trouble.spec.ts, leaving.spec.ts, faults/.
// 2. Nothing is stored twice: here, "server and edge: an answer that is lost". In pages: faults/, bfcache.spec.ts.
// 3. The host page never pays: entries.test.mjs ("importing it …"), host-page.spec.ts, hostile.spec.ts, http.spec.ts.
// 4. Everything is bounded: here, "server and edge: what waits is bounded"; burst.spec.ts, steady-state.spec.ts.
// 5. It works where others fail: hostile.spec.ts, platform.spec.ts, script-tag.spec.ts, worker.spec.ts; conformance/.
// 6. Small: sizes.test.mjs.
//
// Troubles of a store that were tried: 500, 503, 429, 408, a connection that breaks before and within the answer, an object
// larger than it was listed, 403, 400 and 414; an error of R2's binding, once and for ever; each passing and lasting.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { startMockR2 } from '../../demo/mock-r2/mock-r2.mjs';
import { S3_PATH } from '../../demo/mock-r2/start-miniflare.mjs';
import { visits } from '../../demo/testing/visits.mjs';
import { startProxy } from '../cli/site.mjs';
import { install } from './installed.mjs';
import { startConsumer } from './worker-consumer.mjs';

const LIMIT = { timeout: 180_000 };
const SECRET = 'a secret of at least thirty-two characters';
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString();
const [YEAR, MONTH, DAY] = YESTERDAY.split(/[-T]/);
const FOLDER = `otlp/v1/shop/production/year=${YEAR}/month=${MONTH}/day=${DAY}/hour=01/minute=02`;
const KEYS = [0, 1, 2].map((n) => `${FOLDER}/traces_${n}.json.gz`);
const OBJECTS = visits({ sessions: 3 }).map((request) => new Uint8Array(gzipSync(JSON.stringify(request))));

/** @type {Awaited<ReturnType<typeof install>>} */
let installed;
/** What the entries export, by name; `two` are those of a second copy, and `required` are CommonJS. @type {any} */
let ours;
/** @type {Awaited<ReturnType<typeof startMockR2>>} */
let mock;
/** @type {Awaited<ReturnType<typeof startProxy>>} */
let store;
/** @type {Awaited<ReturnType<typeof listen>>} */
let backend;
let received = 0;
/** What the backend answers. */
let status = 200;
before(async () => {
  installed = await install();
  const { folder } = installed;
  // As npm has it when a dependency of the application wants another version.
  const second = path.join(folder, 'node_modules/other');
  await mkdir(path.join(second, 'node_modules'), { recursive: true });
  await cp(path.join(folder, 'node_modules/spandrel'), path.join(second, 'node_modules/spandrel'), {
    recursive: true,
  });
  const names = ['compact', 'edge', 'forward', 'otlp', 'server'];
  const imports = (/** @type {string} */ name) => `export * as ${name} from 'spandrel/${name}';\n`;
  await writeFile(path.join(second, 'index.mjs'), names.map(imports).join(''));
  await writeFile(
    path.join(folder, 'all.mjs'),
    `${names.map(imports).join('')}export * as page from 'spandrel';
export * as two from './node_modules/other/index.mjs';
export * as sdk from '@opentelemetry/sdk-trace-web';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const names = ['compact', 'edge', 'forward', 'server'];
export const required = Object.fromEntries(names.map((name) => [name, require('spandrel/' + name)]));
export * as api from '@opentelemetry/api';
`,
  );
  ours = await import(pathToFileURL(path.join(folder, 'all.mjs')).href);
  mock = await startMockR2({ allowedOrigins: ['https://shop.test'] });
  store = await startProxy(() => new URL(mock.owner.endpoint));
  backend = await listen(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    if (status === 200) received += spansIn(Buffer.concat(chunks), req.headers['content-encoding']).length;
    res.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
}, LIMIT);
after(() => Promise.all([installed?.remove(), mock?.close(), store?.close(), backend?.close()]));
afterEach(async () => {
  store.spoil({});
  mock.faults.clear();
  status = 200;
  received = 0;
  await mock.bucket.clear();
});

const spansIn = (/** @type {Buffer} */ body, /** @type {string | undefined} */ encoding) =>
  JSON.parse(String(encoding === 'gzip' ? gunzipSync(body) : body)).resourceSpans.flatMap(
    (/** @type {any} */ one) => one.scopeSpans.flatMap((/** @type {any} */ scope) => scope.spans),
  );
const SPANS = OBJECTS.reduce((sum, bytes) => sum + spansIn(Buffer.from(bytes), 'gzip').length, 0);

const storageOf = (/** @type {any} */ { s3 }) =>
  s3({ ...mock.owner, endpoint: store.origin + S3_PATH, timeoutMillis: 10_000 });
const keys = async (prefix = 'otlp/') => (await mock.bucket.list(prefix)).map(({ key }) => key).sort();
async function fill() {
  const storage = ours.server.s3(mock.owner);
  for (const [n, key] of KEYS.entries()) await storage.put(key, OBJECTS[n]);
}

/**
 * Reads of trace objects meet a trouble, each object so many times.
 *
 * @param {(res: import('node:http').ServerResponse) => void} trouble
 * @param {number} [times]
 */
function spoilReads(trouble, times = Infinity) {
  const met = new Map();
  store.spoil({
    answer(req, res) {
      if (req.method !== 'GET' || !/\/otlp\/[^?]+$/.test(req.url ?? '')) return false;
      const count = (met.get(req.url) ?? 0) + 1;
      met.set(req.url, count);
      if (count > times) return false;
      trouble(res);
      return true;
    },
  });
}

const answer = (/** @type {number} */ code) => (/** @type {import('node:http').ServerResponse} */ res) =>
  void res.writeHead(code).end('<Error><Code>Planted</Code></Error>');
const PASSING = {
  'a 500': answer(500),
  'a 503': answer(503),
  'a 429': answer(429),
  'a 408': answer(408),
  'no answer': (/** @type {import('node:http').ServerResponse} */ res) => void res.destroy(),
  'half an answer': (/** @type {import('node:http').ServerResponse} */ res) => {
    res.writeHead(200, { 'content-length': '500' });
    res.write('x', () => res.destroy());
  },
};
const NAMES = /** @type {(keyof typeof PASSING)[]} */ (Object.keys(PASSING));
const tooLarge = (/** @type {import('node:http').ServerResponse} */ res) =>
  void res.end(Buffer.alloc(5 << 20));

/** Who gives the store to whom: the READMEs' way first. @type {Record<string, () => [any, any]>} */
const PAIRS = {
  'server and forward': () => [ours.server, ours.forward],
  'server of another copy and forward': () => [ours.two.server, ours.forward],
  'server and forward by require()': () => [ours.required.server, ours.required.forward],
  'server by require() and forward': () => [ours.required.server, ours.forward],
};
for (const [pair, get] of Object.entries(PAIRS)) {
  const pass = () => {
    const [server, { forward }] = get();
    return forward({ storage: storageOf(server), to: { url: backend.origin }, after: 'delete' });
  };
  // All troubles by the READMEs' way; of the others, that which passes, that which does not, and that which is final.
  /** @type {(keyof typeof PASSING)[]} */
  const troubles = pair === 'server and forward' ? NAMES : ['a 500'];
  for (const name of troubles) {
    test(`${pair}: ${name} for each object, once: all are sent`, LIMIT, async () => {
      await fill();
      spoilReads(PASSING[name], 1);
      const { ended, sent, skipped, left, spans } = await pass();
      assert.deepEqual(
        { ended, sent, skipped, left, spans },
        { ended: 'done', sent: 3, skipped: 0, left: 0, spans: SPANS },
      );
      assert.equal(received, SPANS);
      assert.deepEqual(await keys(), []);
    });
  }

  /** @type {(keyof typeof PASSING)[]} */
  const lasting = pair === 'server and forward' ? ['a 500', 'half an answer'] : ['a 500'];
  for (const name of lasting) {
    test(`${pair}: ${name} again and again: it says so, and all is left`, LIMIT, async () => {
      await fill();
      spoilReads(PASSING[name]);
      const { ended, message, skipped, left } = await pass();
      assert.deepEqual({ ended, skipped, left }, { ended: 'store-failed', skipped: 0, left: 3 });
      assert.match(message, /store/);
      assert.deepEqual(await keys(), KEYS);
    });
  }

  test(`${pair}: objects larger than listed are put aside, and stay`, LIMIT, async () => {
    await fill();
    spoilReads(tooLarge);
    const { ended, quarantined, skipped } = await pass();
    assert.deepEqual(
      { ended, quarantined, skipped },
      { ended: 'done', quarantined: { 'too-large': 3 }, skipped: 0 },
    );
    assert.deepEqual(await keys(), KEYS);
    assert.equal((await keys('quarantine/too-large/')).length, 3);
  });
}

test(
  'server and forward: a store that refuses its caller ends the pass; one that refuses a key, that key',
  LIMIT,
  async () => {
    await fill();
    for (const [code, expected] of /** @type {const} */ ([
      [403, { ended: 'store-failed', skipped: 0, left: 3 }],
      [400, { ended: 'done', skipped: 3, left: 0 }],
      [414, { ended: 'done', skipped: 3, left: 0 }],
    ])) {
      spoilReads(answer(code));
      const { ended, skipped, left } = await ours.forward.forward({
        ...{ storage: storageOf(ours.server), to: { url: backend.origin }, after: 'keep' },
      });
      assert.deepEqual({ ended, skipped, left }, expected, String(code));
      assert.deepEqual(await keys(), KEYS);
    }
  },
);

test('server and forward: a store of the user’s own that throws errors of its own', LIMIT, async () => {
  await fill();
  const storage = ours.server.s3(mock.owner);
  let reads = 0;
  const own = {
    ...storage,
    get: async (/** @type {string} */ key, /** @type {object} */ options) => {
      if (reads++ % 2 === 0) throw Object.assign(new Error('SlowDown'), { name: 'ServiceUnavailable' });
      return storage.get(key, options);
    },
  };
  const { sent, skipped } = await ours.forward.forward({
    storage: own,
    to: { url: backend.origin },
    after: 'delete',
    concurrency: 1,
  });
  assert.deepEqual({ sent, skipped }, { sent: 3, skipped: 0 });
});

test('server and forward: what the backend refuses is put aside with its bytes', LIMIT, async () => {
  await fill();
  await ours.server.s3(mock.owner).put(`${FOLDER}/traces_bad.json.gz`, new Uint8Array(gzipSync('not JSON')));
  const { sent, quarantined } = await ours.forward.forward({
    ...{ storage: storageOf(ours.server), to: { url: backend.origin }, after: 'delete' },
  });
  assert.deepEqual({ sent, quarantined }, { sent: 3, quarantined: { 'not-json': 1 } });
  assert.deepEqual(await keys('quarantine/'), [
    `quarantine/not-json/${FOLDER}/traces_bad.json.gz`,
    `quarantine/not-json/${FOLDER}/traces_bad.json.gz.reason.json`,
  ]);
});

/** S3's events, as a queue hands them over. */
const messages = (/** @type {string[]} */ calls) =>
  KEYS.map((key) => ({
    body: {
      Records: [
        { eventName: 'ObjectCreated:Put', s3: { object: { key: encodeURIComponent(key), size: 300 } } },
      ],
    },
    ack: () => void calls.push('ack'),
    retry: (/** @type {{ delaySeconds: number }} */ { delaySeconds }) =>
      void calls.push(delaySeconds > 0 ? 'retry' : 'at once'),
  }));

for (const [name, trouble, times, expected, told, aside] of /** @type {const} */ ([
  ['a 500 once', PASSING['a 500'], 1, ['ack', 'ack', 'ack'], 0, 0],
  ['half an answer once', PASSING['half an answer'], 1, ['ack', 'ack', 'ack'], 0, 0],
  ['a 500 again and again', PASSING['a 500'], Infinity, ['retry', 'retry', 'retry'], 1, 0],
  ['objects larger than told', tooLarge, Infinity, ['ack', 'ack', 'ack'], 0, 3],
])) {
  test(`forwardConsumer with s3() and S3's events: ${name}`, LIMIT, async () => {
    await fill();
    spoilReads(trouble, times);
    /** @type {unknown[]} */
    const errors = [];
    const { queue } = ours.forward.forwardConsumer(() => ({
      ...{ storage: storageOf(ours.server), to: { url: backend.origin }, after: 'delete' },
      onError: (/** @type {unknown} */ error) => void errors.push(error),
    }));
    /** @type {string[]} */
    const calls = [];
    await queue({ messages: messages(calls) }, {});
    assert.deepEqual([calls, errors.length], [expected, told]);
    assert.equal((await keys('quarantine/too-large/')).length, aside);
    assert.equal(received, times === 1 ? SPANS : 0);
    assert.deepEqual(await keys(), times === 1 ? [] : KEYS);
  });
}

test('forwardConsumer with r2() and R2’s events, in workerd', LIMIT, async () => {
  const worker = await startConsumer(installed.folder, backend.origin);
  try {
    for (const [trouble, outcome, told, sent, aside] of /** @type {const} */ ([
      ['none', 'ack', 0, SPANS, 0],
      ['once', 'ack', 0, SPANS, 0],
      ['ever', 'retry', 1, 0, 0],
      ['large', 'ack', 0, 0, 3],
    ])) {
      received = 0;
      const seen = await worker.play(trouble, KEYS, OBJECTS);
      assert.deepEqual(seen, { outcomes: KEYS.map(() => outcome), errors: told, aside }, trouble);
      assert.equal(received, sent, trouble);
    }
  } finally {
    await worker.close();
  }
});

/** The endpoint of the package on a port, and a pipeline of the package in this process. */
async function startPipeline(options = {}) {
  const ingest = ours.server.createIngest({
    storage: storageOf(ours.server),
    secret: SECRET,
    allowedOrigins: [],
    allowMissingOrigin: true,
  });
  const http = createServer(ours.server.nodeListener(ingest));
  await new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
  const url = `http://127.0.0.1:${port}/`;
  const exporter = new ours.edge.TraceExporter({
    destination: ours.edge.bucket({ endpoint: url }),
    ...options,
  });
  // Of the entry for pages: the same class.
  const processor = new ours.page.TraceBatchProcessor(exporter);
  const tracer = new ours.sdk.BasicTracerProvider({ spanProcessors: [processor] }).getTracer('test');
  return {
    url,
    processor,
    span: () => tracer.startSpan('work').end(),
    async close() {
      await processor.shutdown();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** @param {any} stats */
function assertAccounted({ spans: { created, stored, waiting, dropped } }) {
  const lost = Object.values(dropped).reduce((sum, count) => sum + Number(count), 0);
  assert.equal(created, stored + waiting + lost);
  return { created, stored, waiting, lost };
}

test(
  'server and edge: a store that fails, and then does not: nothing is lost, and all is accounted for',
  LIMIT,
  async () => {
    const pipeline = await startPipeline();
    try {
      mock.faults.set('store', { kind: 'status', status: 500 });
      pipeline.span();
      await pipeline.processor.forceFlush();
      assert.deepEqual(assertAccounted(pipeline.processor.stats()), {
        created: 1,
        stored: 0,
        waiting: 1,
        lost: 0,
      });
      assert.deepEqual(await keys(), []);
      mock.faults.clear();
      await pipeline.processor.forceFlush();
      assert.deepEqual(assertAccounted(pipeline.processor.stats()), {
        created: 1,
        stored: 1,
        waiting: 0,
        lost: 0,
      });
      assert.equal((await keys()).length, 1);
    } finally {
      await pipeline.close();
    }
  },
);

test('server and edge: an answer that is lost: stored once', LIMIT, async () => {
  const pipeline = await startPipeline();
  try {
    let lost = 0;
    // The object is stored, and the connection breaks instead of an answer.
    store.spoil({
      headers(_, req) {
        if (req.method === 'PUT' && lost++ === 0) throw new Error('planted');
      },
    });
    pipeline.span();
    await pipeline.processor.forceFlush();
    await pipeline.processor.forceFlush();
    assert.ok(lost > 0);
    assert.deepEqual(assertAccounted(pipeline.processor.stats()), {
      created: 1,
      stored: 1,
      waiting: 0,
      lost: 0,
    });
    assert.equal((await keys()).length, 1);
  } finally {
    await pipeline.close();
  }
});

test('server and edge: what waits is bounded, and what gives way is counted', LIMIT, async () => {
  const pipeline = await startPipeline({ maxOutboxBlobs: 2 });
  try {
    mock.faults.set('store', { kind: 'status', status: 500 });
    for (let count = 0; count < 5; count++) {
      pipeline.span();
      await pipeline.processor.forceFlush();
    }
    const { created, stored, waiting, lost } = assertAccounted(pipeline.processor.stats());
    assert.deepEqual([created, stored, waiting + lost], [5, 0, 5]);
    assert.ok(waiting <= 2, `${waiting} wait`);
  } finally {
    mock.faults.clear();
    await pipeline.close();
  }
});

test('edge: of two copies one traces a request, and all know its context', LIMIT, async () => {
  /** @type {{ name: string, kind: number, spanId: string }[]} */
  const spans = [];
  const collector = await listen(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    if (req.url === '/v1/traces')
      spans.push(...spansIn(Buffer.concat(chunks), req.headers['content-encoding']));
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  try {
    const copies = [ours.edge, ours.two.edge, ours.required.edge];
    const options = { service: 'shop', destination: ours.otlp.otlp({ url: collector.origin }) };
    /** @type {Promise<unknown>[]} */
    const tasks = [];
    const context = { waitUntil: (/** @type {Promise<unknown>} */ task) => void tasks.push(task) };
    const ask = async (/** @type {(request: Request, context: object) => Promise<Response>} */ handle) => {
      await (await handle(new Request('http://localhost/'), context)).text();
      await Promise.all(tasks);
    };
    // Each has had its turn, so that each would have changed `fetch`.
    for (const { instrument } of copies) await ask(instrument(async () => new Response('warm'), options));
    spans.length = 0;
    /** @type {unknown[]} */
    const known = [];
    let handle = async (/** @type {Request} */ request) => {
      for (const { contextOf } of copies)
        known.push(ours.api.trace.getSpan(contextOf(request))?.spanContext().spanId);
      await (await fetch(`${collector.origin}/asked`)).text();
      return new Response('fine');
    };
    for (const { instrument } of copies) handle = instrument(handle, options);
    await ask(handle);
    assert.deepEqual(spans.map(({ kind }) => kind).sort(), [2, 3]);
    const server = spans.find(({ kind }) => kind === 2)?.spanId;
    assert.deepEqual(known, [server, server, server]);
  } finally {
    await collector.close();
  }
});

test(
  'server: a store of whichever copy that fails is told apart from a fault of the endpoint',
  LIMIT,
  async () => {
    mock.faults.set('store', { kind: 'status', status: 500 });
    for (const server of [ours.server, ours.two.server, ours.required.server]) {
      const ingest = ours.server.createIngest({
        ...{ storage: storageOf(server), secret: SECRET, allowedOrigins: [], allowMissingOrigin: true },
      });
      const url = `http://localhost/?relay=&blob=${uuid7()}`;
      const answered = await ingest(new Request(url, { method: 'POST', body: OBJECTS[0] ?? null }));
      assert.deepEqual([answered.status, (await answered.json()).error.code], [502, 'storage_failed']);
    }
  },
);

function uuid7() {
  const millis = Date.now().toString(16).padStart(12, '0');
  return `${millis.slice(0, 8)}-${millis.slice(8)}-7000-8000-000000000000`;
}

test(
  'server and compact: one object of all, by either kind of module, and by the command',
  LIMIT,
  async () => {
    for (const { compact, server } of [ours, ours.required]) {
      await fill();
      store.spoil({});
      const storage = storageOf(server);
      const { ended, compacted, written, spans } = await compact.compact({ storage, agents: true });
      assert.deepEqual([ended, compacted, written, spans], ['done', 3, 1, SPANS]);
      const { ended: erased } = await compact.erase({ storage, traces: ['a'.repeat(32)] });
      assert.equal(erased, 'done');
      await mock.bucket.clear();
    }
  },
);

test('the command: forwards, and says when the store fails', LIMIT, async () => {
  const run = promisify(execFile);
  const command = (/** @type {string[]} */ ...args) => {
    const own = ['--bucket', mock.owner.bucket, '--s3-endpoint', store.origin + S3_PATH];
    const env = {
      PATH: process.env['PATH'],
      AWS_ACCESS_KEY_ID: mock.owner.accessKeyId,
      AWS_SECRET_ACCESS_KEY: mock.owner.secretAccessKey,
    };
    const file = path.join(installed.folder, 'node_modules/.bin/spandrel');
    return run(file, [...args, ...own], { cwd: installed.folder, env }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error) => ({ code: error.code, stdout: error.stdout }),
    );
  };
  await fill();
  spoilReads(answer(500));
  const forward = ['forward', '--to', backend.origin, '--after', 'delete', '--json'];
  const failed = await command(...forward);
  const summary = JSON.parse(failed.stdout);
  assert.deepEqual([failed.code, summary.ended, summary.skipped, summary.left], [1, 'store-failed', 0, 3]);
  spoilReads(answer(503), 1);
  const pulled = await command('pull', path.join(installed.folder, 'pulled'), '--json');
  assert.notEqual(pulled.code, 0);
  store.spoil({});
  assert.equal((await command('pull', path.join(installed.folder, 'pulled'), '--json')).code, 0);
  const files = await readdir(path.join(installed.folder, 'pulled'), { recursive: true });
  assert.equal(files.filter((file) => file.endsWith('.json.gz')).length, 3);
  const compacted = await command('compact', '--json');
  assert.deepEqual([compacted.code, JSON.parse(compacted.stdout).written], [0, 1]);
  const sent = await command(...forward);
  assert.deepEqual([sent.code, JSON.parse(sent.stdout).sent, received], [0, 1, SPANS]);
});
