// What the processor costs the page: per span that ends, and after a burst. The same in Node and in a page.
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-web';
import { TraceBatchProcessor, TraceExporter } from '../../dist/index.js';
import { browserSpans } from './browser-spans.mjs';
import { sink, withoutDatabase } from './sink.mjs';

/** What an OTLP/JSON exporter does on the main thread, without its request. */
const serializing = () => {
  let spans = 0;
  return {
    get spans() {
      return spans;
    },
    export(batch, done) {
      spans += batch.length;
      JsonTraceSerializer.serializeRequest(batch);
      done({ code: 0 });
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  };
};

/**
 * Median nanoseconds of one `onEnd`, and of one whole span through a provider, in turns. Batches stay below 512
 * spans, at which BatchSpanProcessor would serialize within `onEnd`; many of them, because browser clocks are coarse.
 */
export async function measureOnEnd(roundCount) {
  const spans = browserSpans(500);
  const ours = () => new TraceBatchProcessor(new TraceExporter({ destination: sink() }));
  const makers = {
    TraceBatchProcessor: ours,
    ...(globalThis.indexedDB && { 'the same without a database': () => withoutDatabase(ours) }),
    BatchSpanProcessor: () => new BatchSpanProcessor(serializing()),
  };
  const samples = Object.fromEntries(Object.keys(makers).map((name) => [name, { onEnd: [], span: [] }]));
  for (let round = 0; round < roundCount + 5; round++) {
    for (const [name, make] of Object.entries(makers)) {
      const processors = Array.from({ length: 20 }, () => make());
      let start = performance.now();
      for (const processor of processors) for (const span of spans) processor.onEnd(span);
      const onEnd = performance.now() - start;
      await Promise.all(processors.map((processor) => processor.shutdown()));

      const others = Array.from({ length: 20 }, () => make());
      const tracers = others.map((processor) =>
        new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('bench'),
      );
      start = performance.now();
      for (const tracer of tracers) {
        for (let index = 0; index < spans.length; index++) tracer.startSpan('span', {}, ROOT_CONTEXT).end();
      }
      const whole = performance.now() - start;
      await Promise.all(others.map((processor) => processor.shutdown()));

      if (round < 5) continue;
      const count = spans.length * processors.length;
      samples[name].onEnd.push((onEnd / count) * 1e6);
      samples[name].span.push((whole / count) * 1e6);
    }
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const rows = Object.entries(samples).map(([processor, { onEnd, span }]) => ({
    processor,
    'ns per onEnd': median(onEnd),
    'ns per span, start to end': median(span),
  }));
  const [first, last] = [rows[0], rows.at(-1)];
  return [
    ...rows,
    {
      processor: 'ratio, ours to theirs',
      'ns per onEnd': first['ns per onEnd'] / last['ns per onEnd'],
      'ns per span, start to end': first['ns per span, start to end'] / last['ns per span, start to end'],
    },
  ];
}

/** After a burst of `count` spans in one task: the longest time that the main thread was not to be had. */
export async function measureBurst(count) {
  const rows = [];
  for (const name of ['TraceBatchProcessor', 'BatchSpanProcessor']) {
    const exporter =
      name === 'TraceBatchProcessor' ? new TraceExporter({ destination: sink() }) : serializing();
    const options = { scheduledDelayMillis: 200 };
    const processor =
      name === 'TraceBatchProcessor'
        ? new TraceBatchProcessor(exporter, options)
        : new BatchSpanProcessor(exporter, options);
    const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('bench');
    for (let trace_ = 0; trace_ < count / 10; trace_++) {
      const root = tracer.startSpan(
        'root',
        { attributes: { 'url.full': 'https://shop.example/cart' } },
        ROOT_CONTEXT,
      );
      const context = trace.setSpan(ROOT_CONTEXT, root);
      for (let child = 1; child < 10; child++) {
        const attributes = { 'http.request.method': 'GET', 'url.full': `https://shop.example/api/${child}` };
        tracer.startSpan('GET', { attributes }, context).end();
      }
      root.end();
    }
    const exported = () => ('stats' in exporter ? exporter.stats().spans.stored : exporter.spans);
    const { longest, total } = await blockedWhile(exported);
    await processor.shutdown();
    rows.push({
      processor: name,
      'spans exported': exported(),
      'longest task ms': longest,
      'all tasks ms': total,
    });
  }
  return rows;
}

/**
 * Posts messages to itself: the gap between two is what other tasks took. Gaps under 1 ms are its own. Ends when
 * `exported` has stood still for a second.
 */
function blockedWhile(exported) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    let longest = 0;
    let total = 0;
    let count = 0;
    let last = performance.now();
    let movedAt = last;
    port1.onmessage = () => {
      const now = performance.now();
      const gap = now - last;
      if (gap > 1) total += gap;
      longest = Math.max(longest, gap);
      if (gap > 1 && exported() !== count) {
        count = exported();
        movedAt = now;
      }
      if (now - movedAt > 1_000) {
        port1.close();
        resolve({ longest, total });
        return;
      }
      last = performance.now();
      port2.postMessage(0);
    };
    port2.postMessage(0);
  });
}
