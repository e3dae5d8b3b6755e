// Spans as a browser's instrumentations make them, ended by the real SDK: fetch spans with the resource timing
// events of sdk-trace-web, document loads, and resources. Deterministic but for ids.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';

const TIMING_EVENTS = [
  'fetchStart',
  'domainLookupStart',
  'domainLookupEnd',
  'connectStart',
  'secureConnectionStart',
  'connectEnd',
  'requestStart',
  'responseStart',
  'responseEnd',
];
const USER_AGENT =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const SESSION = '7d2f8a5e-93b1-4c0e-8a64-1f2d3c4b5a69';

/** `count` ended spans, eight to a trace, in end order. */
export function browserSpans(count) {
  const exporter = new InMemorySpanExporter();
  const provider = new WebTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const fetchTracer = provider.getTracer('@opentelemetry/instrumentation-fetch', '0.223.0');
  const loadTracer = provider.getTracer('@opentelemetry/instrumentation-document-load', '0.67.0');
  let millis = 1_790_000_000_000.1;
  let made = 0;
  while (made < count) {
    const root = loadTracer.startSpan(
      'documentLoad',
      { startTime: millis, attributes: page(made) },
      ROOT_CONTEXT,
    );
    const context = trace.setSpan(ROOT_CONTEXT, root);
    for (let child = 0; child < 7 && made < count - 1; child++, made++) {
      if (child % 3 === 2) resourceSpan(loadTracer, context, made, millis + child);
      else fetchSpan(fetchTracer, context, made, millis + child);
    }
    timings(root, millis, TIMING_EVENTS.length);
    root.end(millis + 912.3);
    made++;
    millis += 1_733.7;
  }
  return exporter.getFinishedSpans();
}

function page(index) {
  return {
    'session.id': SESSION,
    'http.url': `https://shop.example.com/products/${index % 97}?category=garden&sort=price`,
    'http.user_agent': USER_AGENT,
    'browser.viewport': '1440x900',
    'page.visible': true,
  };
}

function fetchSpan(tracer, context, index, millis) {
  const failed = index % 29 === 0;
  const span = tracer.startSpan(
    index % 5 === 0 ? 'HTTP POST' : 'HTTP GET',
    {
      kind: SpanKind.CLIENT,
      startTime: millis,
      attributes: {
        component: 'fetch',
        'session.id': SESSION,
        'http.request.method': index % 5 === 0 ? 'POST' : 'GET',
        'url.full': `https://api.shop.example.com/v2/cart/${index}/items?include=stock,price&currency=EUR`,
        'server.address': 'api.shop.example.com',
        'server.port': 443,
      },
    },
    context,
  );
  timings(span, millis, index % 2 === 0 ? 9 : 6);
  span.setAttribute('http.response.status_code', failed ? 503 : 200);
  span.setAttribute('http.response.body.size', 1_000 + ((index * 37) % 90_000));
  span.setAttribute('http.response_duration_ratio', (index % 100) / 7);
  if (failed) {
    span.recordException(new Error(`Request failed: "503"\n  at cart ${index}`), millis + 80);
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'HTTP 503' });
  }
  span.end(millis + 120.5 + (index % 31));
}

function resourceSpan(tracer, context, index, millis) {
  const attributes = {
    'session.id': SESSION,
    'http.url': `https://cdn.example.com/assets/chunk-${(index * 2_654_435_761).toString(16)}.js`,
    'http.response_content_length': 20_000 + (index % 5_000),
    'http.response_content_length_uncompressed': 70_000 + (index % 9_000),
  };
  const span = tracer.startSpan('resourceFetch', { startTime: millis, attributes }, context);
  timings(span, millis, 9);
  span.end(millis + 45.2);
}

function timings(span, millis, events) {
  for (let index = 0; index < events; index++) span.addEvent(TIMING_EVENTS[index], millis + index * 1.3);
}
