/** In the page: keeps the spans that the SDK makes, and looks whether the ledger holds, beside Spandrel. */

const recorder = {
  /** Every span started, in order. */
  spans: [],
  /** Stats that did not add up. */
  imbalances: [],
  /** How often they were looked at. */
  looks: 0,
};
globalThis.recorder = recorder;

/** Keeps the spans of a tracer: each is what the SDK's processors are given. */
export function recordTracer(tracer) {
  const { startSpan } = tracer;
  tracer.startSpan = function (...args) {
    const span = startSpan.apply(this, args);
    recorder.spans.push(span);
    return span;
  };
}

/** Keeps the spans of a provider. */
export const recordingProcessor = {
  onStart: (span) => void recorder.spans.push(span),
  onEnd() {},
  async forceFlush() {},
  async shutdown() {},
};

/** `created + adopted = stored + waiting + dropped + handedOver`, looked at each frame, and in hidden pages by a timer. */
export function watchLedger(source) {
  const look = (stats) => {
    recorder.looks++;
    const { created, adopted, stored, waiting, dropped, handedOver } = stats.spans;
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    if (created + adopted !== stored + waiting + lost + handedOver)
      recorder.imbalances.push(structuredClone(stats.spans));
  };
  // Not by `subscribe`: once functions of the page are called, spans that are like those before wait for others.
  setInterval(() => look(source.stats()), 100);
  const eachFrame = () => {
    look(source.stats());
    if (!recorder.stopped) requestAnimationFrame(eachFrame);
  };
  eachFrame();
}

/** The ended spans as the official serializer writes them, parsed. */
recorder.otlp = async () => {
  const { JsonTraceSerializer } = await import('/vendor/e2e/otlp-transformer.js');
  const ended = recorder.spans.filter((span) => span.ended);
  return JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(ended)));
};

/** A trace of one root with `children` below it, all ended in this task. */
globalThis.makeTrace = (tracer, name, children = 0) => {
  tracer.startActiveSpan(name, { root: true }, (root) => {
    for (let index = 1; index <= children; index++) tracer.startSpan(`${name} child ${index}`).end();
    root.end();
  });
};

const instance = globalThis.spandrel?.instance;
if (instance) {
  recordTracer(instance.tracer);
  watchLedger(instance);
}
