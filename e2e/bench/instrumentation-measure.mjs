// In the page: requests under our instrumentation, under OpenTelemetry's, or under none.
import { FetchInstrumentation } from '@opentelemetry/instrumentation-fetch';
import { XMLHttpRequestInstrumentation } from '@opentelemetry/instrumentation-xml-http-request';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { start } from '../../dist/index.js';
import { sink } from './sink.mjs';

const OFF = {
  documentLoad: false,
  routes: false,
  interactions: false,
  resources: false,
  longFrames: false,
  webVitals: false,
  errors: false,
};
const spans = [];
let reader;
let running;

const startTheirs = () => {
  const recording = {
    onStart: (span) => void spans.push(span),
    onEnd() {},
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new BasicTracerProvider({ spanProcessors: [recording] });
  for (const each of [new FetchInstrumentation(), new XMLHttpRequestInstrumentation()]) {
    each.setTracerProvider(provider);
    each.enable();
  }
};

const startOurs = () => {
  running = start({ service: 'bench', destination: sink(), ...OFF });
  const { tracer } = running;
  const { startSpan } = tracer;
  tracer.startSpan = function (...args) {
    const span = startSpan.apply(this, args);
    spans.push(span);
    return span;
  };
};

/** @param {'none' | 'ours' | 'theirs'} variant */
export function prepare(variant) {
  if (variant === 'ours') startOurs();
  if (variant === 'theirs') startTheirs();
}

/** Takes the first of a body, and no more for now. */
export async function hold(url) {
  const response = await fetch(url);
  reader = response.body.getReader();
  await reader.read();
}

export const cancel = () => reader.cancel();

/** Milliseconds until the body is there, thrown away as it comes. */
export async function download(url) {
  const begin = performance.now();
  reader = (await fetch(url)).body.getReader();
  while (!(await reader.read()).done);
  return performance.now() - begin;
}

/** Milliseconds from the promised moment, headers or `load`, until the span has ended, and can be sent. */
export async function waitForSpan(by, url) {
  let at;
  if (by === 'fetch') {
    await fetch(url);
    at = performance.now();
  } else {
    await new Promise((resolve) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', url);
      xhr.onload = resolve;
      xhr.send();
    });
    at = performance.now();
  }
  while (!spans.length || !spans.at(-1).ended) await new Promise((resolve) => setTimeout(resolve, 1));
  return performance.now() - at;
}

/** Sends spans of ours in the company of their instrumentation, which began before us or after; counts its spans. */
export async function sendBeside(order, endpoint) {
  if (order === 'before') startTheirs();
  const ours = start({ service: 'bench', endpoint, fetch: false, xhr: false, ...OFF });
  if (order === 'after') startTheirs();
  for (let index = 0; index < 10; index++) ours.tracer.startSpan('own').end();
  await ours.flush();
  return { requests: ours.stats().requests.exchanges, spans: spans.length };
}
