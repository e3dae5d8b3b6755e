import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { type Context, context, DiagLogLevel, diag, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { memoryStore, TestExecutionContext } from '../testing/edge.js';
import { instrument } from './instrument.js';

// A file, and so a process, of its own: what is registered stays.
test('an app with its own OpenTelemetry keeps it, and has its requests traced', async () => {
  const said: string[] = [];
  const hear = (line: string) => void said.push(line);
  const logger = { error() {}, warn: hear, info() {}, debug() {}, verbose() {} };
  diag.setLogger(logger, DiagLogLevel.WARN);
  const own: string[] = [];
  const onEnd = (span: { name: string }) => void own.push(span.name);
  const processor = { onStart() {}, onEnd, forceFlush: async () => {}, shutdown: async () => {} };
  const provider = new BasicTracerProvider({ spanProcessors: [processor as never] });
  trace.setGlobalTracerProvider(provider);
  const storage = new AsyncLocalStorage<Context>();
  const manager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (given: Context, task: (...args: never[]) => unknown, self: unknown, ...args: never[]) =>
      storage.run(given, () => task.apply(self, args)),
    bind: (_: Context, target: unknown) => target,
    enable: () => manager,
    disable: () => manager,
  };
  context.setGlobalContextManager(manager as never);

  const store = memoryStore();
  const ctx = new TestExecutionContext();
  const worker = instrument(
    {
      async fetch(_request: Request, _env: unknown, _ctx: unknown) {
        trace.getTracer('app').startSpan('own').end();
        return new Response();
      },
    },
    { service: 'shop', destination: store },
  );
  const request = () => new Request('https://shop.example/');
  await trace.getTracer('app').startActiveSpan('around', async (around) => {
    await worker.fetch(request(), {}, ctx);
    await ctx.settled();
    around.end();
    const span = store.span('GET');
    assert.equal(span.parentSpanId, around.spanContext().spanId, 'below what is the host’s');
  });
  await worker.fetch(request(), {}, ctx);
  await ctx.settled();
  assert.deepEqual(own, ['own', 'around', 'own']);
  assert.equal(store.spans.length, 2);
  assert.equal(said.filter((line) => line.startsWith('spandrel: this app has its own')).length, 1);
  assert.ok(provider);
});
