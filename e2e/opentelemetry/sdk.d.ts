// Which of OpenTelemetry's SDKs `app.mjs` meets by this name is said by `copies.mjs`.
declare module 'sdk' {
  import type { BasicTracerProvider, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-web';

  export { BasicTracerProvider, StackContextManager } from '@opentelemetry/sdk-trace-web';

  /** What SDK 3 calls it. */
  export const TracerProvider: typeof BasicTracerProvider;
  /** SDK 3 takes the exporter among options. */
  type Processor = new (exporter: SpanExporter | { exporter: SpanExporter }) => SpanProcessor;
  export const SimpleSpanProcessor: Processor;
  export const BatchSpanProcessor: Processor;
}
