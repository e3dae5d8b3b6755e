// An app that brings its own OpenTelemetry and bundles ours with it: our exporter behind our processor, which follows the
// page's parts, and behind the stock one.
import { context, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import * as sdk from 'sdk';
import { bucket, PageInstrumentation, sessionProcessor, TraceBatchProcessor, TraceExporter } from 'spandrel';

const exporterOf = () => new TraceExporter({ destination: bucket({ endpoint: '/spandrel' }) });
const isSdk3 = 'TracerProvider' in sdk;
const Provider = isSdk3 ? sdk.TracerProvider : sdk.BasicTracerProvider;

const resource = resourceFromAttributes({ 'service.name': globalThis.service });

const exporter = exporterOf();
const ours = new TraceBatchProcessor(exporter);
const page = new PageInstrumentation({ webVitals: false, longFrames: false, documentLoad: false }, ours);
trace.setGlobalTracerProvider(
  new Provider({ resource, spanProcessors: [sessionProcessor(exporter), page.spanProcessor, ours] }),
);
context.setGlobalContextManager(page.contextManager);
page.setTracerProvider(trace.getTracerProvider());
page.enable();

document.querySelector('#act')?.addEventListener('click', async () => {
  await fetch('/icon.svg');
  trace.getTracer('app').startSpan('work of the app').end();
});

const behind = exporterOf();
const stock = isSdk3 ? new sdk.BatchSpanProcessor({ exporter: behind }) : new sdk.BatchSpanProcessor(behind);
new Provider({ resource, spanProcessors: [stock] })
  .getTracer('app')
  .startSpan('by the stock processor')
  .end();

globalThis.own = {
  flush: async () => {
    await stock.forceFlush();
    return Promise.all([exporter.flush(), behind.flush()]);
  },
};
