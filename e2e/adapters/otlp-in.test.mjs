// OTLP from those who speak it, into the endpoint in Node and in workerd: OpenTelemetry's own exporters, otel-cf-workers,
// and what Cloudflare documents of its own tracing. What is stored is held against what the official serializer says of
// the same spans, or what went over the wire, field by field.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startProcess } from '../conformance/runners/process.mjs';
import { cloudflareRequests } from './otlp-cloudflare.mjs';
import {
  exported,
  KEY,
  listen,
  plain,
  read,
  sdkLogs,
  sdkSpans,
  startInstrumented,
  tools,
} from './otlp-senders.mjs';
import { bundle, startWorkerd } from './runtimes.mjs';

const { JsonLogsSerializer, JsonTraceSerializer } = tools('@opentelemetry/otlp-transformer');
const headers = { authorization: `Bearer ${KEY}` };
/** @type {Record<string, import('./runtimes.mjs').Running>} */
const running = {};
before(async () => {
  running['node'] = await startProcess(process.execPath, [await bundle('otlp-node')]);
  running['workerd'] = await startWorkerd(await bundle('otlp-workerd'), { r2Buckets: ['TRACES'] });
});
after(() => Promise.all(Object.values(running).map((one) => one.close())));

/** What lies in the store, by key. @param {string} origin @returns {Promise<Map<string, any>>} */
async function stored(origin) {
  const objects = /** @type {[string, string][]} */ (await (await fetch(`${origin}/objects`)).json());
  return new Map(
    objects.map(([key, text]) => [key, JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString())]),
  );
}

/** Runs `send`, and finds what it has stored. @param {string} runtime @param {(url: string) => Promise<unknown>} send */
async function storing(runtime, send) {
  const { origin = '' } = running[runtime] ?? {};
  const earlier = await stored(origin);
  await send(`${origin}/spandrel`);
  return [...(await stored(origin))].filter(([key]) => !earlier.has(key));
}

for (const runtime of ['node', 'workerd']) {
  for (const format of ['http', 'proto']) {
    for (const compression of ['none', 'gzip']) {
      test(`otlp in ${runtime}: the exporters of traces and logs, ${format}, ${compression}`, {
        timeout: 60_000,
      }, async () => {
        const { OTLPTraceExporter } = tools(`@opentelemetry/exporter-trace-otlp-${format}`);
        const { OTLPLogExporter } = tools(`@opentelemetry/exporter-logs-otlp-${format}`);
        const spans = sdkSpans();
        const [[key = '', traces] = [], ...others] = await storing(runtime, (url) =>
          exported(new OTLPTraceExporter({ url: `${url}/v1/traces`, headers, compression }), spans),
        );
        assert.deepEqual(others, []);
        assert.match(key, /\/default\/production\/year=.*\/traces_[0-9a-f-]{36}\.json\.gz$/);
        const expected = read(JsonTraceSerializer.serializeRequest(spans));
        // The oracle has seen what it is meant to see.
        for (const word of [
          'droppedEventsCount',
          'droppedAttributesCount',
          'droppedLinksCount',
          'schemaUrl',
          'flags',
        ])
          assert.ok(JSON.stringify(expected).includes(word), word);
        assert.deepEqual(plain(traces), expected);

        const records = sdkLogs();
        const [[logKey = '', logs] = [], ...more] = await storing(runtime, (url) =>
          exported(new OTLPLogExporter({ url: `${url}/v1/logs`, headers, compression }), records),
        );
        assert.deepEqual(more, []);
        assert.match(logKey, /\/logs_[0-9a-f-]{36}\.json\.gz$/);
        assert.deepEqual(plain(logs), read(JsonLogsSerializer.serializeRequest(records)));
      });
    }
  }

  test(`otlp in ${runtime}: an exporter without a key, or with the page's, is told so, and stores nothing`, {
    timeout: 60_000,
  }, async () => {
    for (const [format, own] of [
      ['http', {}],
      ['proto', { authorization: 'Bearer default' }],
    ]) {
      const { OTLPTraceExporter } = tools(`@opentelemetry/exporter-trace-otlp-${format}`);
      const found = await storing(runtime, (url) =>
        assert.rejects(
          exported(new OTLPTraceExporter({ url: `${url}/v1/traces`, headers: own }), sdkSpans()),
          { code: 401 },
        ),
      );
      assert.deepEqual(found, []);
    }
  });

  test(`otlp in ${runtime}: a request that breaks off and comes again is stored once`, {
    timeout: 60_000,
  }, async () => {
    const spans = sdkSpans();
    const body = JsonTraceSerializer.serializeRequest(spans);
    const found = await storing(runtime, async (url) => {
      const send = () =>
        fetch(`${url}/v1/traces`, {
          method: 'POST',
          body,
          headers: { ...headers, 'content-type': 'application/json' },
        });
      const answers = await Promise.all([send(), send(), send()]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200],
      );
    });
    assert.equal(found.length, 1);
  });

  test(`otlp in ${runtime}: 1 GB is refused by its length, and by what has come`, {
    timeout: 60_000,
  }, async () => {
    const found = await storing(runtime, async (url) => {
      const json = { ...headers, 'content-type': 'application/json' };
      let sent = 0;
      const body = new ReadableStream({
        pull(controller) {
          sent += 65_536;
          if (sent > 2 ** 30) controller.close();
          else controller.enqueue(new Uint8Array(65_536).fill(0x20));
        },
      });
      const init = /** @type {RequestInit} */ ({ method: 'POST', body, headers: json, duplex: 'half' });
      const status = await fetch(`${url}/v1/traces`, init).then(
        (answer) => answer.status,
        // It was still sending when it was cut off.
        () => 413,
      );
      assert.equal(status, 413);
      assert.ok(sent < 64 * 1_048_576, String(sent));
    });
    assert.deepEqual(found, []);
  });

  test(`otlp in ${runtime}: what otel-cf-workers sends is stored as it went over the wire`, {
    timeout: 120_000,
  }, async () => {
    const sent = /** @type {{ json: any, type: string | undefined }[]} */ ([]);
    const found = await storing(runtime, async (url) => {
      const heard = await listen(async (body, req) => {
        sent.push({ json: JSON.parse(body.toString()), type: req.headers['content-type'] });
        const { status } = await fetch(`${url}${req.url}`, {
          method: 'POST',
          body: new Uint8Array(body),
          headers: { 'content-type': 'application/json', authorization: String(req.headers.authorization) },
        });
        return status;
      });
      const worker = await startInstrumented(heard.url);
      try {
        assert.equal(await (await fetch(worker.origin)).text(), 'priced');
        assert.equal(await heard.answered, 200);
      } finally {
        await worker.close();
        heard.close();
      }
    });
    assert.equal(found.length, 1);
    const [{ json, type } = { json: {}, type: '' }] = sent;
    assert.match(String(type), /^application\/json/);
    assert.deepEqual(plain(found[0]?.[1]), plain(json));
    const text = JSON.stringify(json);
    for (const word of ['price basket', 'basket.size', 'cloudflare.workers'])
      assert.ok(text.includes(word), word);
  });

  for (const [signal, json] of Object.entries(cloudflareRequests())) {
    test(`otlp in ${runtime}: ${signal} with the attributes of Cloudflare's own Workers tracing`, async () => {
      const found = await storing(runtime, async (url) => {
        const { status } = await fetch(`${url}/v1/${signal}`, {
          method: 'POST',
          body: JSON.stringify(json),
          headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
        });
        assert.equal(status, 200);
      });
      assert.equal(found.length, 1);
      assert.deepEqual(plain(found[0]?.[1]), plain(json));
    });
  }
}
