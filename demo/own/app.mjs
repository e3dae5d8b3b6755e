/** An app that has OpenTelemetry already, and Spandrel behind it. */
import { trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { WebTracerProvider } from '@opentelemetry/sdk-trace-web';
import { bucket, PageInstrumentation, sessionProcessor, TraceBatchProcessor, TraceExporter } from 'spandrel';

const exporter = new TraceExporter({ destination: bucket({ endpoint: '/spandrel' }) });
const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 1_000 });
const page = new PageInstrumentation({ routeNames: ['/own/'] }, processor);
new WebTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'stockroom' }),
  spanProcessors: [sessionProcessor(exporter), page.spanProcessor, processor],
}).register({ contextManager: page.contextManager });
registerInstrumentations({ instrumentations: [page] });

const tracer = trace.getTracer('stockroom');
const said = /** @type {HTMLElement} */ (document.querySelector('#said'));

/** @param {string} id @param {() => Promise<string>} task */
function onClick(id, task) {
  const button = /** @type {HTMLButtonElement} */ (document.querySelector(id));
  button.addEventListener('click', async () => {
    said.textContent = '…';
    said.textContent = await task();
  });
  button.disabled = false;
}

onClick('#stock', async () => {
  const answer = await fetch('/api/products');
  const products = await answer.json();
  // A span of the app's own, below the click.
  return tracer.startActiveSpan('count the stock', (span) => {
    span.setAttribute('stock.count', products.length);
    span.end();
    return `${products.length} kinds of things.`;
  });
});
onClick('#fail', async () => {
  const { status } = await fetch('/api/nothing');
  return `The answer is ${status}, and on the trace.`;
});
