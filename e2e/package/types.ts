/** Compiled, not run: what fits OpenTelemetry's types without a cast, and mistakes that must not compile. */
import { createServer } from 'node:http';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
  WebTracerProvider,
} from '@opentelemetry/sdk-trace-web';
import express from 'express';
import { contextOf, instrument, traceFetch } from '../../src/edge.js';
import { EventSpans, fromEventTarget, fromMessages, fromPerformance, sendTo } from '../../src/events.js';
import { type BatchSender, forward, forwardConsumer } from '../../src/forward.js';
import {
  bucket,
  type Stats,
  sessionProcessor,
  start,
  TraceBatchProcessor,
  TraceExporter,
} from '../../src/index.js';
import {
  createIngest,
  createLedger,
  type IngestLogEntry,
  memoryQuota,
  nodeListener,
  type QuotaOptions,
  type Storage,
  s3,
  workersRateLimit,
} from '../../src/server.js';

export function fits(): void {
  const exporter = new TraceExporter({ destination: bucket({ endpoint: '/spandrel' }) });
  const asExporter: SpanExporter = exporter;
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 1_000 });
  const asProcessor: SpanProcessor = processor;
  new WebTracerProvider({ spanProcessors: [processor, asProcessor] });
  new BasicTracerProvider({ spanProcessors: [sessionProcessor(exporter), processor] });
  const destination = bucket({ endpoint: '/spandrel' });
  new TraceExporter({ destination, consent: 'pending', redact: ({ name }) => name !== 'x' }).setConsent(
    'denied',
  );
  new TraceExporter({
    destination,
    redact(span) {
      span.attributes['app.user'] = 'none';
    },
  });
  new WebTracerProvider({
    spanProcessors: [new BatchSpanProcessor(exporter), new SimpleSpanProcessor(asExporter)],
  });

  const spandrel = start({ service: 'shop', endpoint: '/spandrel', relay: 'never' });
  const stats: Stats = spandrel.stats();
  const waiting: number = stats.spans.waiting + (stats.spans.dropped['buffer-full'] ?? 0);
  start({ service: 'shop', destination: bucket({ requestUploads: async () => [] }) });
  bucket({
    requestUploads: async ({ wants, spares }) => (wants.length || spares ? [] : []),
    notify: async () => {},
  });
  bucket({
    requestUploads: async (request, { fetch }) =>
      (await fetch('/uploads', { method: 'POST', body: JSON.stringify(request) })).json(),
  });
  start({
    ...{ service: 'shop', endpoint: '/spandrel', ignoreUrls: ['/health', /stats/] },
    onRequest: (span, { method, url, answer }) =>
      void span.setAttribute('app', [method, url.pathname, answer?.status].join(' ')),
    ignoreInteraction: (type, element) => type === 'change' || element.id === 'menu',
  });
  void spandrel.flush().then((result: 'stored' | 'waiting' | 'lost') => `${result} ${waiting}`);
}

export function fitsTheServer(storage: Storage, secret: string): void {
  const { onStored, onPage, onLost, pages } = createLedger({ maxPages: 1_000 });
  createIngest({ storage, secret, allowedOrigins: [], onStored, onPage, onLost });
  const { presign: _, ...relayOnly } = storage;
  const rateLimit = workersRateLimit({ limit: async () => ({ success: true }) }, { periodSeconds: 10 });
  const of = (request: Request): string | undefined => request.headers.get('cf-connecting-ip') ?? undefined;
  const quota = { store: memoryQuota({ maxSubjects: 100 }), perSubject: { objects: 10, of } };
  const onLog = ({ kind, durations, quota: outcome }: IngestLogEntry) => [kind, durations.total, outcome];
  const handler = createIngest({ storage: relayOnly, secret, allowedOrigins: '*', rateLimit, quota, onLog });
  createServer(nodeListener(handler, { trustProxy: true }));
  express().all('/spandrel', nodeListener(handler));
  for (const { counts, balanced, gaps } of pages()) void [counts?.waiting, balanced === true, gaps[0]?.first];
}

export function fitsEvents(exporter: TraceExporter, provider: SpanProcessor, worker: Worker): void {
  for (const processor of [new TraceBatchProcessor(exporter), provider, new BatchSpanProcessor(exporter)]) {
    const spans = new EventSpans({
      processor,
      service: 'shop',
      id: ['orderId'],
      track: (payload) => typeof payload,
    });
    const isTaken: boolean = spans.handle('a.started', { id: 1, nested: { any: 'thing' } }, new Date());
    const open: number = spans.stats().open + (spans.stats().dropped['max-open'] ?? 0);
    const stops = [
      fromEventTarget(spans, window, ['a']),
      fromEventTarget(spans, document.body, { click: () => ({ name: 'click' }), b: 'c.started' }),
      fromPerformance(spans),
      fromMessages(spans, worker, { track: 'w' }),
    ];
    for (const stop of stops) stop();
    void [isTaken, open];
  }
  sendTo(self, { track: 1 }).handle('a', null, 7);
}

export function mistakes(exporter: TraceExporter): void {
  // @ts-expect-error a service is needed
  start({ endpoint: '/spandrel' });
  // @ts-expect-error a number, not its text
  start({ service: 'shop', endpoint: '/spandrel', poolSize: '5' });
  // @ts-expect-error misspelt
  start({ service: 'shop', endpoint: '/spandrel', maxTracePerBlob: 1 });
  // @ts-expect-error not one of the three
  start({ service: 'shop', endpoint: '/spandrel', relay: 'sometimes' });
  // @ts-expect-error the endpoint, or functions in its place
  bucket({});
  // @ts-expect-error not both
  bucket({ endpoint: '/spandrel', requestUploads: async () => [] });
  // @ts-expect-error uploads come as a promise
  bucket({ requestUploads: () => [] });
  // @ts-expect-error a destination is needed
  new TraceExporter({});
  // @ts-expect-error the destination, not its options
  new TraceExporter({ destination: { endpoint: '/spandrel' } });
  // @ts-expect-error an exporter of ours, since whole traces need its outbox
  new TraceBatchProcessor({ export: () => {}, shutdown: async () => {} });
  // @ts-expect-error an option of the exporter
  new TraceBatchProcessor(exporter, { maxTracesPerBlob: 1 });
  // @ts-expect-error reasons are a closed list
  exporter.stats().spans.dropped['bad-luck'];
  // @ts-expect-error a secret is needed
  createIngest({ storage: s3({}), allowedOrigins: [] });
  // @ts-expect-error a page does not say what it relays
  const perPage: QuotaOptions['perPage'] = { relayedBytes: 1 };
  void perPage;
  // @ts-expect-error a number
  createLedger({ maxPages: '10' });
  // @ts-expect-error a processor is needed
  new EventSpans({ service: 'shop' });
  // @ts-expect-error an exporter is no processor
  new EventSpans({ service: 'shop', processor: exporter });
  // @ts-expect-error misspelt
  new EventSpans({ service: 'shop', processor: new TraceBatchProcessor(exporter), ids: ['id'] });
}

interface Env {
  readonly API: { fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> };
  readonly name: string;
}
/** As `@cloudflare/workers-types` have them: kinds of their own, and everything optional. */
interface WorkersRequest extends Request {
  readonly cf?: { readonly colo: string };
}
interface ExportedHandler<E> {
  fetch?: (
    request: WorkersRequest,
    env: E,
    ctx: { waitUntil(promise: Promise<unknown>): void },
  ) => Promise<Response>;
  scheduled?: (controller: { readonly cron: string }, env: E) => Promise<void>;
  email?: (message: { readonly from: string }) => Promise<void>;
}

export function fitsHandlers(): void {
  const destination = bucket({ endpoint: 'https://ingest.example/spandrel' });
  const worker: ExportedHandler<Env> = instrument<ExportedHandler<Env>>(
    { fetch: async (request, env) => env.API.fetch(request.url), async email() {} },
    (env) => ({ service: env.name, destination }),
  );
  const module = instrument(
    {
      async fetch(request: Request, env: Env, ctx: { waitUntil(promise: Promise<unknown>): void }) {
        ctx.waitUntil(traceFetch(env.API, contextOf(request)).fetch('https://api.example/'));
        return new Response();
      },
      own: 7,
    },
    (env) => ({ service: env.name, destination, onFlush: (result) => result === 'stored' }),
  );
  const kept: number = module.own;
  const deno: (request: Request, info: { remoteAddr: string }) => Response = instrument(
    (_request: Request, _info: { remoteAddr: string }) => new Response(),
    { service: 'api', destination },
  );
  const bare = instrument({ fetch: (request) => new Response(request.url) }, { service: 'api', destination });
  void [worker, kept, deno, bare];
}

export function doesNotFitHandlers(): void {
  const destination = bucket({ endpoint: 'https://ingest.example/spandrel' });
  const handler = (_request: Request) => new Response();
  // @ts-expect-error: a service is needed.
  instrument(handler, { destination });
  // @ts-expect-error: no such option.
  instrument(handler, { service: 'api', destination, sampleRatio: 1 });
  const withEnv = { fetch: (_request: Request, _env: Env) => new Response() };
  // @ts-expect-error: no such thing in the env.
  instrument(withEnv, (env) => ({ service: env.nam, destination }));
  // @ts-expect-error: no handler.
  instrument('handler', { service: 'api', destination });
}

/** As `@cloudflare/workers-types` has it, in short. */
interface MessageBatch {
  readonly queue: string;
  readonly messages: readonly {
    readonly id: string;
    readonly body: unknown;
    readonly attempts: number;
    ack(): void;
    retry(options?: { delaySeconds?: number }): void;
  }[];
}

export async function forwards(storage: Storage, sender: BatchSender): Promise<void> {
  const { ended, sent } = await forward({ storage, to: { url: 'http://localhost:4318' }, after: 'delete' });
  const reasons: number | undefined = (await forward({ storage, sender, after: 'move' })).quarantined[
    'not-json'
  ];
  const worker: { queue(batch: MessageBatch, env: { URL: string }, ctx: object): Promise<void> } =
    forwardConsumer((env: { URL: string }) => ({ storage, to: { url: env.URL }, after: 'delete' }));
  // @ts-expect-error: what becomes of the objects is to be said.
  await forward({ storage, sender });
  // @ts-expect-error: no such option.
  await forward({ storage, sender, after: 'keep', mergeWindow: 3 });
  void [ended, sent, reasons, worker];
}
