/** The same requests under OpenTelemetry's instrumentations and then under ours: each span's attributes. */
import { FetchInstrumentation } from '@opentelemetry/instrumentation-fetch';
import { XMLHttpRequestInstrumentation } from '@opentelemetry/instrumentation-xml-http-request';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { start } from 'spandrel';
import { recordTracer } from '/e2e/recorder.mjs';
import '/e2e/requests.js';

const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
};
const attributesOf = (spans) => spans.map(({ attributes }) => attributes);

/** @param {() => Promise<number>} run makes the requests; gives their number. */
async function underTheirs(run) {
  const spans = [];
  const recording = {
    onStart: (span) => void spans.push(span),
    onEnd() {},
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new BasicTracerProvider({ spanProcessors: [recording] });
  const instrumentations = [new FetchInstrumentation(), new XMLHttpRequestInstrumentation()];
  for (const each of instrumentations) each.setTracerProvider(provider);
  const count = await run();
  await until(() => spans.filter(({ ended }) => ended).length === count);
  for (const each of instrumentations) each.disable();
  return attributesOf(spans);
}

async function underOurs(run, options) {
  const running = start(options);
  recordTracer(running.tracer);
  const count = await run();
  const { spans } = globalThis.recorder;
  await until(() => spans.filter(({ ended }) => ended).length === count);
  await running.shutdown();
  return attributesOf(spans);
}

globalThis.compare = async (names, otherOrigin, options) => {
  const stopSoon = () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    return controller.signal;
  };
  const requests = {
    query: '/echo/query?q=secret',
    cross: `${otherOrigin}/echo/cross`,
    moved: '/moved',
    dead: 'http://127.0.0.1:1/dead',
    aborted: '/hang/aborted',
    opaque: `${otherOrigin}/echo/opaque`,
  };
  const inits = {
    post: { method: 'POST', body: 'b' },
    lowercase: { method: 'post' },
    purge: { method: 'PURGE' },
    opaque: { mode: 'no-cors' },
  };
  const run = async () => {
    for (const name of names) {
      const [by, what] = name.split(' ');
      const url = requests[what] ?? `/echo/${what}`;
      const init = inits[what] ?? {};
      if (by === 'fetch') {
        if (what === 'aborted') init.signal = stopSoon();
        await fetch(url, { ...init }).then(
          (response) => response.text(),
          () => {},
        );
        continue;
      }
      const xhr = new XMLHttpRequest();
      await new Promise((resolve) => {
        xhr.onloadend = resolve;
        xhr.open(init.method ?? 'GET', url);
        xhr.send(init.body);
        if (what === 'aborted') setTimeout(() => xhr.abort(), 50);
      });
    }
    return names.length;
  };
  return { theirs: await underTheirs(run), ours: await underOurs(run, options) };
};
