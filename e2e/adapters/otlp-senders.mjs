// What OpenTelemetry's own exporters and otel-cf-workers send, and both encodings in one form.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';
import { ensureTool, ensureTools } from '../support/tools.mjs';
import { startWorkerd } from './runtimes.mjs';

export const KEY = 'key-of-the-operator-0123456789';
const EXPORTERS = '0.223.0';

/** Loads what the exporters come with. */
export const tools = createRequire(
  path.join(
    ensureTools({
      '@opentelemetry/exporter-logs-otlp-http': EXPORTERS,
      '@opentelemetry/exporter-logs-otlp-proto': EXPORTERS,
      '@opentelemetry/exporter-trace-otlp-http': EXPORTERS,
      '@opentelemetry/exporter-trace-otlp-proto': EXPORTERS,
    }),
    'index.js',
  ),
);
const { resourceFromAttributes } = tools('@opentelemetry/resources');
const { TracerProvider } = tools('@opentelemetry/sdk-trace');
const { LoggerProvider } = tools('@opentelemetry/sdk-logs');
const { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } = tools('@opentelemetry/api');

const ATTRIBUTES = {
  text: 'ünïcode 😀',
  whole: 42,
  negative: -7,
  large: 2 ** 52,
  double: 0.25,
  yes: true,
  no: false,
  empty: '',
  texts: ['a', '', 'c'],
  numbers: [1, 2.5],
  flags: [true, false],
};
const resource = resourceFromAttributes(
  { 'service.name': 'warehouse', 'service.version': '1.0.0', 'host.cpu.count': 4 },
  { schemaUrl: 'https://opentelemetry.io/schemas/1.44.0' },
);

/** @returns {any[]} ReadableSpans of two scopes. */
export function sdkSpans() {
  /** @type {any[]} */
  const ended = [];
  const provider = new TracerProvider({
    resource,
    spanLimits: { attributeCountLimit: 11, eventCountLimit: 2, linkCountLimit: 1 },
    spanProcessors: [
      {
        onStart() {},
        onEnd: (/** @type {any} */ span) => ended.push(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer('warehouse', '2.0.0', { schemaUrl: 'https://s.test/1' });
  const remote = {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
  const parent = trace.setSpanContext(ROOT_CONTEXT, remote);
  const server = tracer.startSpan(
    'POST /holds',
    {
      kind: SpanKind.SERVER,
      attributes: { ...ATTRIBUTES, dropped: 1 },
      links: [{ context: remote, attributes: { n: 1 } }, { context: remote }],
    },
    parent,
  );
  for (const name of ['one', 'two', 'three']) server.addEvent(name, { text: 'x', n: 1 });
  const inner = trace.setSpan(parent, server);
  const child = provider.getTracer('database').startSpan('SELECT', { kind: SpanKind.CLIENT }, inner);
  child.recordException(new TypeError('no such table'));
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'no such table' });
  child.end();
  server.setStatus({ code: SpanStatusCode.OK });
  server.end();
  provider.getTracer('warehouse', '2.0.0', { schemaUrl: 'https://s.test/1' }).startSpan('a root').end();
  return ended;
}

/** @returns {any[]} ReadableLogRecords. */
export function sdkLogs() {
  /** @type {any[]} */
  const emitted = [];
  const provider = new LoggerProvider({
    resource,
    processors: [
      {
        onEmit: (/** @type {any} */ record) => emitted.push(record),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const logger = provider.getLogger('warehouse', '2.0.0', { schemaUrl: 'https://s.test/1' });
  const context = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    traceFlags: TraceFlags.SAMPLED,
  });
  logger.emit({ body: 'held', severityNumber: 9, severityText: 'INFO', attributes: ATTRIBUTES, context });
  logger.emit({
    eventName: 'stock.low',
    timestamp: Date.now() - 5_000,
    body: { left: 3, shelves: ['a', 'b'], deep: { yes: true, bytes: new Uint8Array([0, 255]) } },
  });
  return emitted;
}

/**
 * As both encodings can say it: protobuf leaves out what is zero or empty, JSON may write integers as numbers.
 *
 * @param {any} tree @param {boolean} [isValue] Of an attribute, where everything counts. @returns {any}
 */
export function plain(tree, isValue = false) {
  if (Array.isArray(tree)) return tree.map((item) => plain(item, isValue));
  if (typeof tree !== 'object' || tree === null) return tree;
  // The official JSON has the schema twice, and OTLP knows it outside of the resource alone.
  const { schemaUrl: _, ...resource } = tree.resource ?? {};
  const own = tree.resource ? { ...tree, resource } : tree;
  const fields = Object.entries(own).map(([name, value]) => {
    if (name === 'intValue') return [name, String(value)];
    return [name, plain(value, isValue || name === 'value' || name === 'body')];
  });
  const isEmpty = (/** @type {any} */ value) =>
    !value || (typeof value === 'object' && Object.keys(value).length === 0);
  const kept = fields.filter(([, value]) => value !== undefined && (isValue || !isEmpty(value)));
  return Object.fromEntries(kept);
}

/** @param {Uint8Array} bytes What the official serializer wrote. */
export const read = (bytes) => plain(JSON.parse(Buffer.from(bytes).toString()));

/** @param {any} exporter @param {any[]} items */
export const exported = (exporter, items) =>
  new Promise((done, fail) =>
    exporter.export(items, (/** @type {any} */ { code, error }) =>
      code === 0 ? done(undefined) : fail(error),
    ),
  ).finally(() => exporter.shutdown());

/**
 * Hears requests on the loopback, and answers what `take` says.
 *
 * @param {(body: Buffer, req: import('node:http').IncomingMessage) => Promise<number>} take
 * @returns {Promise<{ url: string, answered: Promise<number>, close: () => void }>}
 */
export async function listen(take) {
  /** @type {(status: number) => void} */
  let told;
  const answered = new Promise((done) => {
    told = done;
  });
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const status = await take(Buffer.concat(chunks), req);
    res.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    told(status);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}`, answered, close: () => server.close() };
}

/** @param {string} url Of the endpoint. */
export async function startInstrumented(url) {
  const built = await rollup({
    input: new URL('inside/otlp-instrumented.mjs', import.meta.url).pathname,
    external: /^(node|cloudflare):/,
    plugins: [
      resolve({
        browser: true,
        modulePaths: [path.dirname(path.dirname(ensureTool('@microlabs/otel-cf-workers')))],
        dedupe: ['@opentelemetry/api'],
      }),
    ],
    // It names constants that its own dependency has renamed meanwhile.
    shimMissingExports: true,
    onwarn: () => {},
  });
  const { output } = await built.generate({ format: 'es', inlineDynamicImports: true });
  await built.close();
  return startWorkerd('', {
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: output[0].code }],
    scriptPath: undefined,
    compatibilityFlags: ['nodejs_compat'],
    bindings: { URL: url, KEY },
  });
}
