import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import { memoryStore, TestExecutionContext } from '../testing/edge.js';
import { instrument } from './instrument.js';
import { contextOf } from './tracing.js';

function shop() {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    trace.getSpan(contextOf(c.req.raw))?.setAttribute('http.route', routePath(c, -1));
  });
  app.get('/product/:id', async (c) => {
    await trace.getTracer('app').startActiveSpan('price', async (span) => span.end());
    c.executionCtx.waitUntil(Promise.resolve());
    return c.text(c.req.param('id'));
  });
  app.get('/broken', () => {
    throw new Error('no stock');
  });
  app.onError((_error, c) => c.text('sorry', 500));
  return app;
}

async function play(fetch: ReturnType<typeof shop>['fetch'], path: string) {
  const ctx = new TestExecutionContext();
  const answer = await fetch(new Request(`https://shop.example${path}`), {}, ctx as never);
  const text = await answer.text();
  await ctx.settled();
  return text;
}

test('Hono: the app is instrumented whole, and its routes name the spans', async () => {
  const store = memoryStore();
  const app = instrument(shop(), { service: 'shop', destination: store });
  assert.equal(await play(app.fetch, '/product/7'), '7');
  const span = store.span('GET /product/:id');
  assert.equal(span.attributes['http.route'], '/product/:id');
  assert.equal(store.span('price').parentSpanId, span.spanId);
  assert.equal(await play(app.fetch, '/broken'), 'sorry');
  assert.equal(store.span('GET /broken').attributes['error.type'], '500');
});

test('Hono: or its fetch alone', async () => {
  const store = memoryStore();
  const fetch = instrument(shop().fetch, { service: 'shop', destination: store });
  assert.equal(await play(fetch, '/product/8'), '8');
  assert.ok(store.span('GET /product/:id'));
});

test('Hono: an app that is instrumented can still be built', async () => {
  const store = memoryStore();
  const app = instrument(new Hono(), { service: 'shop', destination: store });
  app.route(
    '/v1',
    new Hono().get('/late', (c) => c.text('late')),
  );
  assert.equal(await play(app.fetch, '/v1/late'), 'late');
  assert.ok(store.span('GET'));
});
