// The pages that the page bench compares: without anything, with our script file, and with what one would put there
// else. What each loads is one minified file, bundled alike.
import { readFile } from 'node:fs/promises';
import { bundle, weigh } from '../support/sizes.mjs';
import { ensureTool } from '../support/tools.mjs';

/**
 * The starter of OpenTelemetry's documentation: document load, fetch and XHR, in batches, as OTLP/JSON. Its own
 * exporter would add XHR, `sendBeacon` and retries to the four lines here.
 */
const OPENTELEMETRY = `
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { DocumentLoadInstrumentation } from '@opentelemetry/instrumentation-document-load';
import { FetchInstrumentation } from '@opentelemetry/instrumentation-fetch';
import { XMLHttpRequestInstrumentation } from '@opentelemetry/instrumentation-xml-http-request';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';

const exporter = {
  export(spans, done) {
    const body = JsonTraceSerializer.serializeRequest(spans);
    const headers = { 'content-type': 'application/json' };
    fetch('/v1/traces', { method: 'POST', headers, body }).then(
      () => done({ code: 0 }),
      (error) => done({ code: 1, error }),
    );
  },
  forceFlush: async () => {},
  shutdown: async () => {},
};
new WebTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }).register();
registerInstrumentations({
  instrumentations: [
    new DocumentLoadInstrumentation(),
    new FetchInstrumentation(),
    new XMLHttpRequestInstrumentation(),
  ],
});
`;

const sentry = () => `
import { browserTracingIntegration, init, makeBrowserOfflineTransport, makeFetchTransport } from ${JSON.stringify(ensureTool('@sentry/browser'))};

init({
  dsn: location.protocol + '//key@' + location.host + '/1',
  tracesSampleRate: 1,
  integrations: [browserTracingIntegration()],
  transport: makeBrowserOfflineTransport(makeFetchTransport),
});
`;

const script = new URL('../../dist/script.js', import.meta.url);

/**
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} code what the page loads; empty for nothing
 * @property {string} attributes of the script tag
 * @property {string} [sendsTo] the path that the spans go to, unless that is the bucket
 */

/** @returns {Promise<Peer[]>} the page without anything first, ours second. */
export async function readPeers() {
  return [
    { name: 'without', code: '', attributes: '' },
    {
      name: 'Spandrel',
      code: await readFile(script, 'utf8'),
      attributes: 'data-service="bench" data-endpoint="/spandrel"',
    },
    {
      name: 'OpenTelemetry starter',
      code: await bundle(OPENTELEMETRY),
      attributes: '',
      sendsTo: '/v1/traces',
    },
    { name: 'Sentry', code: await bundle(sentry()), attributes: '', sendsTo: '/api/1/envelope/' },
  ];
}

/** What the others weigh, by name. */
export async function measurePeers() {
  const peers = await readPeers();
  return Object.fromEntries(peers.slice(2).map(({ name, code }) => [name, weigh(code)]));
}
