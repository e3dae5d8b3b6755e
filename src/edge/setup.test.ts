import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { memoryStore, TestExecutionContext } from '../testing/edge.js';
import { instrument } from './instrument.js';
import { checkEdgeOptions, type EdgeOptions } from './options.js';
import { createSetup } from './setup.js';

const destination = memoryStore();
const given = { service: 'shop', destination };

test('edge options: each is refused by its name when it is wrong', () => {
  for (const [name, value] of [
    ['service', ''],
    ['service', 7],
    ['service', undefined],
    ['destination', undefined],
    ['destination', 'https://bucket.example'],
    ['version', ''],
    ['environment', 1],
    ['sampleRate', 1.5],
    ['sampleRate', '1'],
    ['trustTraceparent', 'yes'],
    ['propagateTo', ['not an origin']],
    ['propagateTo', 'https://api.example'],
    ['serverTiming', 1],
    ['routeOf', '/x'],
    ['redaction', 'no'],
    ['redact', true],
    ['waitTimeoutMillis', -1],
    ['waitTimeoutMillis', 600_001],
    ['flushTimeoutMillis', 0],
    ['maxBufferedSpans', 511],
    ['onFlush', {}],
    ['servce', 'shop'],
  ] as const) {
    const wrong = { ...given, [name]: value } as unknown as EdgeOptions;
    assert.throws(
      () => checkEdgeOptions(wrong),
      (error: Error) => {
        assert.ok(error instanceof TypeError);
        return error.message.startsWith('spandrel: ') && error.message.includes(`"${name}"`);
      },
      `${name}: ${value}`,
    );
  }
  for (const nothing of [undefined, null, 'shop']) {
    assert.throws(() => checkEdgeOptions(nothing as never), /takes an object of options/);
  }
});

test('edge options: what is left out has a default', () => {
  const { sampleRate, trustTraceparent, propagateTo, serverTiming, ...rest } = checkEdgeOptions(given);
  assert.deepEqual(
    { sampleRate, trustTraceparent, propagateTo, serverTiming },
    {
      sampleRate: 1,
      trustTraceparent: true,
      propagateTo: true,
      serverTiming: true,
    },
  );
  assert.deepEqual(
    [rest.waitTimeoutMillis, rest.flushTimeoutMillis, rest.maxBufferedSpans],
    [15_000, 10_000, 5_000],
  );
});

test('setup: the resource says which service and which runtime', () => {
  const { resource } = createSetup({ ...given, version: '1', environment: 'test' });
  const { 'telemetry.sdk.version': version, ...attributes } = resource.attributes;
  assert.match(String(version), /^\d/);
  assert.deepEqual(attributes, {
    'service.name': 'shop',
    'service.version': '1',
    'deployment.environment.name': 'test',
    'telemetry.sdk.name': 'spandrel',
    'telemetry.sdk.language': 'nodejs',
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  });
});

type Fetch = (request: Request, ...rest: unknown[]) => Response;
const request = () => new Request('https://shop.example/');

test('configure: is asked once for each env, and given that', () => {
  const asked: unknown[] = [];
  const worker = instrument({ fetch: (() => new Response()) as Fetch }, (env) => {
    asked.push(env);
    return given;
  });
  const envs = [{ name: 'one' }, { name: 'two' }];
  for (const env of [...envs, ...envs]) worker.fetch(request(), env, new TestExecutionContext());
  assert.deepEqual(asked, envs);
  assert.ok(asked.every((env, index) => env === envs[index]));
});

test('configure: what a runtime gives with each request is no env', () => {
  let asked = 0;
  const handle = instrument((() => new Response()) as Fetch, (env) => {
    assert.equal(env, undefined);
    asked++;
    return given;
  });
  for (let count = 0; count < 3; count++) handle(request(), { remoteAddr: { hostname: '::1' } });
  handle(request());
  assert.equal(asked, 1);
});

test('configure: a mistake is told once, and the handler runs untraced', (t) => {
  const said = t.mock.method(console, 'error', () => {});
  const play = (configure: unknown) => {
    const worker = instrument({ fetch: (() => new Response('fine')) as Fetch }, configure as EdgeOptions);
    for (let count = 0; count < 3; count++) {
      assert.equal(worker.fetch(request(), {}, new TestExecutionContext()).status, 200);
    }
    const lines = said.mock.calls.map(({ arguments: [line] }) => String(line));
    said.mock.resetCalls();
    return lines;
  };
  assert.deepEqual(play({ ...given, sampleRate: 2 }), [
    'spandrel: nothing is traced: TypeError: spandrel: option "sampleRate" takes a number from 0 to 1, got 2',
  ]);
  assert.match(
    String(
      play(() => {
        throw new Error('no binding TRACES');
      }),
    ),
    /^spandrel: nothing is traced: Error: no binding TRACES$/,
  );
  assert.match(String(play(async () => given)), /takes/);
  assert.deepEqual(play(given), []);
});

test('instrument: a class is left as it is, and that is told', (t) => {
  const said = t.mock.method(console, 'error', () => {});
  class Entrypoint {}
  assert.equal(instrument(Entrypoint as never, given), Entrypoint);
  assert.equal(said.mock.callCount(), 1);
});

mock.reset();
