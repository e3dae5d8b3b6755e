import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import * as api from '@opentelemetry/api';
import * as standIn from './opentelemetry-api.js';
import { registered } from './opentelemetry-global.js';

const SPAN_CONTEXT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
const GLOBAL = Symbol.for('opentelemetry.js.api.1');

afterEach(() => {
  standIn.trace.disable();
  standIn.context.disable();
  delete (globalThis as { [GLOBAL]?: unknown })[GLOBAL];
});

/** A context manager that knows no way back. */
function contextManager(active: api.Context): api.ContextManager {
  const self: api.ContextManager = {
    active: () => active,
    with: (context, task, thisArg, ...args) => {
      const before = active;
      active = context;
      try {
        return task.apply(thisArg as never, args);
      } finally {
        active = before;
      }
    },
    bind: (_context, target) => target,
    enable: () => self,
    disable: () => self,
  };
  return self;
}

const providerOf = (who: string): api.TracerProvider => ({
  getTracer: (...names) =>
    ({
      startSpan: () => [who, names[0], names[1]],
      startActiveSpan: (...args: unknown[]) => [who, ...args],
    }) as never,
});

test('API stand-in: what it registers, the package finds, until somebody registers their own', () => {
  assert.equal(standIn.trace.setGlobalTracerProvider(providerOf('ours')), true);
  assert.equal(standIn.trace.setGlobalTracerProvider(providerOf('another of ours')), false);
  const tracer = api.trace.getTracer('any', '1');
  const task = (): void => {};
  assert.deepEqual(tracer.startSpan('a') as unknown, ['ours', 'any', '1']);
  assert.deepEqual(tracer.startActiveSpan('a', {}, api.ROOT_CONTEXT, task) as unknown, [
    ...['ours', 'a', {}, api.ROOT_CONTEXT],
    task,
  ]);
  assert.equal(api.trace.setGlobalTracerProvider(providerOf('theirs')), true);
  assert.equal(api.trace.setGlobalTracerProvider(providerOf('again theirs')), false);
  assert.deepEqual(tracer.startSpan('b') as unknown, ['theirs', 'any', '1']);
  standIn.trace.disable();
  assert.deepEqual(api.trace.getTracer('any').startSpan('c') as unknown, ['theirs', 'any', undefined]);
  api.trace.disable();
});

test('API stand-in: what it has registered is gone with it', () => {
  standIn.trace.setGlobalTracerProvider(providerOf('ours'));
  standIn.context.setGlobalContextManager(contextManager(standIn.ROOT_CONTEXT));
  assert.equal(registered()?.version, '1.10.0');
  standIn.trace.disable();
  standIn.context.disable();
  assert.equal(api.trace.getTracer('any').startSpan('a').isRecording(), false);
  assert.equal(GLOBAL in globalThis, false);
});

test('API stand-in: what the package registers, it finds', () => {
  assert.equal(standIn.context.active(), standIn.ROOT_CONTEXT);
  const key = api.createContextKey('ours');
  api.context.setGlobalContextManager(contextManager(api.ROOT_CONTEXT.setValue(key, 'yes')));
  assert.equal(standIn.context.active().getValue(key), 'yes');
  assert.equal(standIn.context.setGlobalContextManager(contextManager(standIn.ROOT_CONTEXT)), false);
  const warnings: unknown[][] = [];
  const log = (...args: unknown[]) => void warnings.push(args);
  api.diag.setLogger({ warn: log, error: log, info: log, debug: () => {}, verbose: () => {} });
  standIn.diag.warn('trouble', 1);
  assert.deepEqual(warnings, [['trouble', 1]]);
  standIn.context.disable();
  assert.equal(standIn.context.active().getValue(key), 'yes');
  api.context.disable();
  assert.equal(standIn.context.active(), standIn.ROOT_CONTEXT);
});

test('API stand-in: contexts and the spans in them are those of the package', () => {
  const manager = contextManager(standIn.ROOT_CONTEXT);
  assert.equal(standIn.context.setGlobalContextManager(manager), true);
  const span = standIn.trace.wrapSpanContext(SPAN_CONTEXT);
  const holding = standIn.trace.setSpan(standIn.context.active(), span);
  const within = standIn.context.with(
    holding,
    function (this: unknown, ...args) {
      return [this, args, api.trace.getActiveSpan(), standIn.trace.getActiveSpan()];
    },
    'self' as never,
    1,
    2,
  );
  assert.deepEqual(within, ['self', [1, 2], span, span]);
  const theirs = api.trace.setSpanContext(api.ROOT_CONTEXT, SPAN_CONTEXT);
  assert.deepEqual(standIn.trace.getSpanContext(theirs), SPAN_CONTEXT);
  assert.equal(standIn.trace.getSpan(api.trace.deleteSpan(holding)), undefined);
  assert.equal(
    holding
      .deleteValue(api.createContextKey('other'))
      .getValue(api.createContextKey('OpenTelemetry Context Key SPAN')),
    span,
  );
});

test('API stand-in: a span that is only passed on takes everything and keeps nothing', () => {
  const span = standIn.trace.wrapSpanContext(SPAN_CONTEXT);
  const theirs = api.trace.wrapSpanContext(SPAN_CONTEXT);
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(theirs)) as (keyof api.Span)[]) {
    if ((name as string) === 'constructor') continue;
    const result = (span[name] as () => unknown)();
    const expected = (theirs[name] as () => unknown)();
    if (expected === theirs) assert.equal(result, span, name);
    else assert.deepEqual(result, expected, name);
  }
});

test('API stand-in: a trace state is changed and written as the package does it', () => {
  const [ours, theirs] = [standIn, api].map(({ createTraceState }) =>
    createTraceState().set('a', '1').set('b', '2').set('a', '3').set('c', '4').unset('b').unset('z'),
  );
  assert.equal(ours?.serialize(), theirs?.serialize());
  assert.equal(ours?.get('a'), '3');
  assert.equal(ours?.get('b'), undefined);
});

test('API stand-in: a place that cannot be changed is left alone', () => {
  const place = Object.freeze({ version: '1.4.0' });
  (globalThis as { [GLOBAL]?: unknown })[GLOBAL] = place;
  assert.equal(standIn.trace.setGlobalTracerProvider(providerOf('ours')), false);
  assert.equal(registered(), place);
});

test('API stand-in: the package’s names, numbers and verdicts', async () => {
  const theirs = api as unknown as Record<string, Record<string, unknown>>;
  for (const name of [
    'TraceFlags',
    'SpanKind',
    'SpanStatusCode',
    'SamplingDecision',
    'INVALID_SPAN_CONTEXT',
  ]) {
    for (const [key, value] of Object.entries((standIn as never)[name]))
      assert.equal(theirs[name]?.[key], value, name);
  }
  for (const id of [
    '0'.repeat(32),
    'a'.repeat(32),
    'A'.repeat(32),
    'g'.repeat(32),
    'a'.repeat(31),
    5,
    undefined,
  ]) {
    for (const spanId of ['0'.repeat(16), '1'.repeat(16), '']) {
      const context = { traceId: id as string, spanId, traceFlags: 0 };
      assert.equal(standIn.isSpanContextValid(context), api.isSpanContextValid(context), `${id} ${spanId}`);
    }
  }
});
