import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { runtimeOf } from './runtime.js';
import { createEdgeSampler } from './sampler.js';

const node = { versions: { node: '20.0.0' } };

test('runtime: is known by what it says of itself, also where it has a process', () => {
  for (const [scope, name, version, isFunction] of [
    [{ navigator: { userAgent: 'Cloudflare-Workers' }, process: node }, 'workerd', undefined, true],
    [{ EdgeRuntime: 'vercel', navigator: {} }, 'edge-runtime', undefined, true],
    [{ Deno: { version: { deno: '2.9.6' } }, process: node }, 'deno', '2.9.6', false],
    [
      { Bun: { version: '1.4.5' }, process: node, navigator: { userAgent: 'Bun/1.4.5' } },
      'bun',
      '1.4.5',
      false,
    ],
    [{ process: node }, 'nodejs', '20.0.0', false],
    [{}, 'unknown', undefined, false],
  ] as const) {
    const found = runtimeOf(scope);
    assert.equal(found.name, name);
    assert.equal(found.attributes['process.runtime.version'], version);
    assert.equal(found.isFunction, isFunction, name);
    assert.equal(found.isClockFrozen, name === 'workerd');
    assert.equal(found.attributes['cloud.platform'], name === 'workerd' ? 'cloudflare.workers' : undefined);
  }
});

test('frozen clocks: are said on each local root, and nowhere else', () => {
  const { shouldSample } = createEdgeSampler(1, { 'spandrel.clock.frozen': true });
  const below = (isRemote: boolean) => {
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote };
    return trace.setSpanContext(ROOT_CONTEXT, parent);
  };
  const said = (from = ROOT_CONTEXT) =>
    shouldSample(from, 'a'.repeat(32), 'x', 0, {}, []).attributes?.['spandrel.clock.frozen'];
  assert.equal(said(), true);
  assert.equal(said(below(true)), true);
  assert.equal(said(below(false)), undefined);
});
