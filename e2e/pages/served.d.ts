// What the pages are served with, and what comes with tools that are not always here.
declare module '*/e2e/recorder.mjs' {
  export const recordTracer: (tracer: import('@opentelemetry/api').Tracer) => void;
}
declare module '*/e2e/requests.js' {}
declare module '*/e2e/otlp-transformer.js' {
  export * from '@opentelemetry/otlp-transformer';
}
declare module 'react';
declare module 'react-dom/client';
declare module 'react-router';
declare module 'vue';
declare module 'vue-router';

/** The SDKs of a page, in the order of their script tags. */
declare var copies: { tracer: import('@opentelemetry/api').Tracer }[];
declare var violations: string[];
