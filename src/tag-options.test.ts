import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Destination } from './destinations/destination.js';
import { type StartOptions, start } from './start.js';
import { optionsOfTag, tellOfTag } from './tag-options.js';

/** Options that no text can be. */
const NOT_PLAIN = [
  'destination',
  'instrumentations',
  'headers',
  'keepTrace',
  'redact',
  'onRequest',
  'ignoreInteraction',
];

/** An attribute of every other option, and what it means. */
const ATTRIBUTES: Record<string, [text: string, value: unknown]> = {
  service: ['true', 'true'],
  endpoint: ['https://a.test/spandrel', 'https://a.test/spandrel'],
  version: ['7', '7'],
  environment: ['false', 'false'],
  project: ['', ''],
  relay: ['never', 'never'],
  scheduledDelayMillis: ['0', 0],
  maxBufferedSpans: ['1000', 1_000],
  maxTracesPerBlob: [' 7 ', 7],
  maxOutboxBlobs: ['10', 10],
  maxOutboxBytes: ['65536', 65_536],
  maxOutboxAgeMillis: ['60000', 60_000],
  flushTimeoutMillis: ['5', 5],
  shutdownTimeoutMillis: ['5', 5],
  poolSize: ['7', 7],
  documentLoad: ['', true],
  fetch: ['true', true],
  xhr: ['false', false],
  routes: ['false', false],
  interactions: ['false', false],
  resources: ['false', false],
  longFrames: ['false', false],
  webVitals: ['false', false],
  errors: ['false', false],
  frustration: ['false', false],
  routeNames: ['/product/:id, /docs/*', ['/product/:id', '/docs/*']],
  ignoreUrls: ['/health, https://stats.test', ['/health', 'https://stats.test']],
  propagateTo: ['https://api.test,https://b.test', ['https://api.test', 'https://b.test']],
  sampleRate: ['0.25', 0.25],
  sampleBy: ['trace', 'trace'],
  keepErrors: ['false', false],
  keepSlowerThanMillis: ['1500.5', 1_500.5],
  adaptiveSampling: ['', true],
  redaction: ['true', true],
  consent: ['pending', 'pending'],
  respectGlobalPrivacyControl: ['', true],
  ignoreBots: ['', true],
  session: ['false', false],
  user: ['u-42', { id: 'u-42' }],
  attributes: ['{"shop.plan":"pro","beta":true}', { 'shop.plan': 'pro', beta: true }],
  persistContext: ['', true],
};

/** Every option that `start()` has, as it says itself. */
function namesOfStart(): string[] {
  try {
    start({ none: 1 } as never);
  } catch (error) {
    return String(error).split('; it takes ')[1]?.split(', ') ?? [];
  }
  throw new Error('it took an option that there is not');
}

test('tag: every plain option of start() has an attribute here, and no other', () => {
  assert.deepEqual([...Object.keys(ATTRIBUTES), ...NOT_PLAIN].sort(), [...new Set(namesOfStart())].sort());
});

for (const [name, [text, value]] of Object.entries(ATTRIBUTES)) {
  test(`tag: ${name}="${text}"`, () => assert.deepEqual(optionsOfTag({ [name]: text }), { [name]: value }));
}

test('tag: start() takes what the attributes mean', async () => {
  const texts = Object.entries(ATTRIBUTES).map(([name, [text]]) => [name, text]);
  const { project: _, endpoint: _place, ...options } = optionsOfTag(Object.fromEntries(texts));
  const destination: Destination = {
    open: () => ({
      send: async () => ({ status: 'stored' }),
      leave() {},
      async settle() {},
      close() {},
    }),
  };
  // The destination takes none of the bucket's own options.
  for (const name of ['relay', 'poolSize']) delete options[name];
  await start({ ...options, destination } as unknown as StartOptions).shutdown();
});

test('tag: what is not of its kind is left for start() to refuse, and the line names the attribute', () => {
  for (const [name, text, expected] of [
    ['poolSize', 'many', /attribute data-pool-size takes a whole number .* got "many"/],
    ['poolSize', '', /attribute data-pool-size takes a whole number .* got ""/],
    ['sampleRate', '2', /attribute data-sample-rate takes a number from 0 to 1, got 2/],
    ['keepErrors', 'no', /attribute data-keep-errors takes true or false, got "no"/],
    ['routeNames', 'product', /attribute data-route-names takes/],
    ['ignoreUrls', 'health', /attribute data-ignore-urls takes/],
    ['propagateTo', 'api.test', /attribute data-propagate-to takes/],
    ['attributes', 'plan=pro', /attribute data-attributes takes up to 64 strings.* got "plan=pro"/],
    ['attributes', '{"cart":{}}', /attribute data-attributes takes .* got an object/],
    ['user', '{"id":"u-42"', /attribute data-user takes .* got "{/],
    ['servise', 'shop', /start\(\) has no attribute data-servise; it takes service/],
  ] as const) {
    const options = optionsOfTag({ service: 'shop', endpoint: 'https://a.test', [name]: text });
    assert.throws(
      () => start(options as never),
      (error) => expected.test(tellOfTag(error)),
      name,
    );
  }
});

test('tag: a user is an id or JSON, and nobody where a template had none', () => {
  assert.deepEqual(optionsOfTag({ user: '{"id":"u-42","hash":true}' }), { user: { id: 'u-42', hash: true } });
  assert.deepEqual(optionsOfTag({ user: '' }), { user: null });
});

test('tag: data-src is for the stub', () => {
  assert.deepEqual(optionsOfTag({ src: '/spandrel.js' }), {});
});
