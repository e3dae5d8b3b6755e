import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { context, trace } from '@opentelemetry/api';
import type { Destination } from './destinations/destination.js';
import type { TraceBlob } from './pipeline/model.js';
import { start } from './start.js';
import { VERSION } from './version.js';

/** There is a place to be at, as in a browser's worker; nothing is begun on a server. */
Object.assign(globalThis, { location: new URL('https://shop.test/') });

/** A destination that keeps what it is given. */
function kept(): { destination: Destination; blobs: TraceBlob[] } {
  const blobs: TraceBlob[] = [];
  const destination: Destination = {
    open: () => ({
      async send(blob) {
        blobs.push(blob);
        return { status: 'stored' };
      },
      close() {},
    }),
  };
  return { destination, blobs };
}

test('start: the global tracer’s spans are stored, with the resource that was named; shutdown gives all back', async () => {
  const { destination, blobs } = kept();
  const { fetch } = globalThis;
  const spandrel = start({ service: 'shop', version: '1.2', environment: 'test', destination });
  const root = trace.getTracer('app').startSpan('root');
  context.with(trace.setSpan(context.active(), root), () => {
    spandrel.tracer.startSpan('child').end();
  });
  root.end();
  assert.equal(await spandrel.flush(), 'stored');
  assert.deepEqual(
    [...(blobs[0]?.traces.values() ?? [])].map(({ rootName, spanCount }) => [rootName, spanCount]),
    [['root', 2]],
  );
  assert.equal(spandrel.stats().spans.stored, 2);

  await spandrel.shutdown();
  assert.equal(trace.getTracer('app').startSpan('after').isRecording(), false);
  assert.equal(globalThis.fetch, fetch);
  assert.equal(spandrel.stats().state, 'shut-down');
  await spandrel.shutdown();
});

test('start: the resource says who speaks', async () => {
  const { destination, blobs } = kept();
  const spandrel = start({ service: 'shop', version: '1.2', environment: 'test', destination });
  spandrel.tracer.startSpan('root').end();
  await spandrel.flush();
  const body = JSON.parse(gunzipSync(blobs[0]?.bytes ?? new Uint8Array()).toString());
  const attributes = body.resourceSpans[0].resource.attributes.map(
    ({ key, value }: { key: string; value: { stringValue: string } }) => [key, value.stringValue],
  );
  assert.deepEqual(attributes, [
    ['service.name', 'shop'],
    ['service.version', '1.2'],
    ['deployment.environment.name', 'test'],
    ['telemetry.sdk.name', 'spandrel'],
    ['telemetry.sdk.language', 'webjs'],
    ['telemetry.sdk.version', VERSION],
  ]);
  await spandrel.shutdown();
});

test('start: the resource says which browser it is, as far as that says so unasked', async () => {
  const userAgentData = {
    brands: [
      { brand: 'Chromium', version: '142' },
      { brand: 'Not_A Brand', version: '99' },
    ],
    mobile: false,
    platform: 'Linux',
    getHighEntropyValues: () => assert.fail('asked'),
  };
  const resourceIn = async (navigator: object): Promise<unknown[]> => {
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
    const { destination, blobs } = kept();
    const spandrel = start({ service: 'shop', destination });
    spandrel.tracer.startSpan('root').end();
    await spandrel.flush();
    await spandrel.shutdown();
    Reflect.deleteProperty(globalThis, 'navigator');
    const body = JSON.parse(gunzipSync(blobs[0]?.bytes ?? new Uint8Array()).toString());
    return body.resourceSpans[0].resource.attributes.slice(4);
  };
  assert.deepEqual(await resourceIn({ language: 'de-CH', userAgentData }), [
    {
      key: 'browser.brands',
      value: { arrayValue: { values: [{ stringValue: 'Chromium 142' }, { stringValue: 'Not_A Brand 99' }] } },
    },
    { key: 'browser.platform', value: { stringValue: 'Linux' } },
    { key: 'browser.mobile', value: { boolValue: false } },
    { key: 'browser.language', value: { stringValue: 'de-CH' } },
  ]);
  assert.deepEqual(await resourceIn({ language: 'de' }), [
    { key: 'browser.language', value: { stringValue: 'de' } },
  ]);
  const hostile = { brands: 'none', mobile: Symbol('mobile'), platform: {} };
  assert.deepEqual(await resourceIn({ language: '', userAgentData: hostile }), []);
});

test('start: ignoreBots begins nothing where nobody sits, and says so', async () => {
  const agents: [navigator: { userAgent: string; webdriver?: boolean }, isBot: boolean][] = [
    [{ userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }, true],
    [{ userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142', webdriver: true }, true],
    [{ userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142', webdriver: false }, false],
    [{ userAgent: 'Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/142 Mobile' }, false],
  ];
  for (const ignoreBots of [true, false]) {
    for (const [navigator, isBot] of agents) {
      Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
      const { destination, blobs } = kept();
      const spandrel = start({ service: 'shop', destination, ignoreBots });
      spandrel.tracer.startSpan('root').end();
      await spandrel.flush();
      assert.equal(blobs.length, ignoreBots && isBot ? 0 : 1, navigator.userAgent);
      assert.equal(spandrel.stats().errors.at(-1)?.message, ignoreBots && isBot ? 'ignoreBots' : undefined);
      await spandrel.shutdown();
      Reflect.deleteProperty(globalThis, 'navigator');
    }
  }
});

test('start: a provider that the page has already stays', async () => {
  const { destination } = kept();
  const first = start({ service: 'first', destination });
  const second = start({ service: 'second', destination: kept().destination });
  await second.shutdown();
  assert.equal(trace.getTracer('app').startSpan('still').isRecording(), true);
  await first.shutdown();
});

test('start: options reach the parts that they are for', async () => {
  const { destination, blobs } = kept();
  const spandrel = start({ service: 'shop', destination, maxTracesPerBlob: 1, scheduledDelayMillis: 0 });
  for (let traces = 0; traces < 3; traces++) spandrel.tracer.startSpan('root').end();
  await spandrel.flush();
  assert.equal(blobs.length, 3);
  let heard = 0;
  spandrel.subscribe(() => void heard++)();
  assert.equal(heard, 0);
  await spandrel.shutdown();
});
