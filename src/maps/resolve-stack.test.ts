import assert from 'node:assert/strict';
import { SourceMap } from 'node:module';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { memoryStorage, storageDown } from '../testing/memory-storage.js';
import { buildMinified, type Minified, placeOf, SOURCES, stackOf } from '../testing/minified.js';
import { createMapCache } from './map-cache.js';
import { mapKey } from './map-key.js';
import { putMap } from './map-store.js';
import { openMap } from './open-map.js';
import { resolveStack } from './resolve-stack.js';

const URL = 'https://shop.example/assets/app.js';
const WHOSE = { project: 'shop', release: '1.4.2' };
const NAME = { ...WHOSE, path: 'assets/app.js' };
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text));

let built: Minified;
before(async () => {
  built = await buildMinified();
});

const stored = async (map = built.map): Promise<ReturnType<typeof memoryStorage>> => {
  const storage = memoryStorage();
  await putMap(storage, NAME, bytesOf(map));
  return storage;
};

test('resolve: a stack of V8 is told in the words of the sources, with the lines around', async () => {
  const maps = createMapCache({ storage: await stored() });
  const { lines, text, isResolved } = await resolveStack(maps, stackOf(built.code, URL), WHOSE);
  assert.ok(isResolved);
  const [head, top, caller] = lines;
  assert.match(head?.text ?? '', /^TypeError/);
  const thrown = placeOf('/shop/src/check-out.js', 'street');
  assert.deepEqual([top?.place?.source, top?.place?.line], ['src/check-out.js', thrown.line]);
  assert.equal(top?.called, 'checkOut', 'as the source calls it, and not the minifier');
  assert.ok(top?.place?.isOwn);
  const { first = 0, lines: around = [] } = top?.place?.context ?? {};
  const source = (SOURCES['/shop/src/check-out.js'] ?? '').split('\n');
  assert.deepEqual(around, source.slice(first - 1, first - 1 + around.length));
  assert.match(around[thrown.line - first] ?? '', /address\.street/);
  const called = placeOf('/shop/src/app.js', 'checkOut({');
  assert.deepEqual([caller?.place?.source, caller?.place?.line], ['src/app.js', called.line]);
  assert.match(
    text,
    new RegExp(`^TypeError.*\n    at checkOut \\(src/check-out\\.js:${thrown.line}:\\d+\\)\n`),
  );
});

test('resolve: Firefox and Safari write the same places otherwise', async () => {
  const maps = createMapCache({ storage: await stored() });
  const chrome = await resolveStack(maps, stackOf(built.code, URL), WHOSE);
  const places = (lines: typeof chrome.lines): unknown[] => lines.flatMap(({ place }) => place ?? []);
  const frames = chrome.lines.flatMap(({ frame }) => (frame?.url === URL ? [frame] : []));
  const firefox = frames.map(({ name, url, line, column }) => `${name}@${url}:${line}:${column}`).join('\n');
  const resolved = await resolveStack(maps, firefox, WHOSE);
  assert.ok(places(resolved.lines).length >= 2);
  assert.deepEqual(places(resolved.lines), places(chrome.lines));
});

test("resolve: a function of a package is not the page's own", async () => {
  const maps = createMapCache({ storage: await stored() });
  const { lines } = await resolveStack(maps, stackOf(built.code, URL, { items: 7 }), WHOSE);
  const [, top] = lines;
  assert.equal(top?.place?.source, 'node_modules/each/index.js');
  assert.equal(top?.place?.isOwn, false);
});

test('resolve: every place of a map is where Node finds it', async () => {
  const open = openMap(JSON.parse(built.map));
  const oracle = new SourceMap(JSON.parse(built.map));
  const generated = built.code.split('\n');
  let compared = 0;
  for (const [line, text] of generated.entries()) {
    for (let column = 0; column < text.length; column += 1) {
      const entry = oracle.findEntry(line, column) as Record<string, number | undefined>;
      const place = open.find(line + 1, column + 1);
      const { originalLine, originalColumn = 0, generatedLine } = entry;
      // Node goes on to the line before where a line has no mapping.
      if (originalLine === undefined || generatedLine !== line) continue;
      assert.deepEqual([place?.line, place?.column], [originalLine + 1, originalColumn + 1]);
      compared += 1;
    }
  }
  assert.ok(compared > 100);
});

test('resolve: what cannot be resolved stands as it came, and says why', async () => {
  const stack = stackOf(built.code, URL);
  const storage = await stored();
  const whyOf = async (whose: typeof WHOSE, of = stack, store = storage): Promise<string | undefined> => {
    const { lines, text, isResolved } = await resolveStack(createMapCache({ storage: store }), of, whose);
    assert.equal(isResolved, false);
    assert.equal(text, of);
    return lines.find(({ frame }) => frame)?.why;
  };
  assert.match((await whyOf({ ...WHOSE, release: '1.4.3' })) ?? '', /^release 1\.4\.3 has no maps$/);
  assert.match((await whyOf({ ...WHOSE, release: '' })) ?? '', /no release/);
  assert.match((await whyOf({ ...WHOSE, release: '../1' })) ?? '', /no release of maps/);
  assert.match((await whyOf(WHOSE, `f@https://cdn.example/other.js:1:1`)) ?? '', /no map of other\.js/);
  assert.match((await whyOf(WHOSE, `f@${URL}:900:1`)) ?? '', /another build/);

  const broken = async (bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> => {
    const store = memoryStorage();
    store.objects.set(mapKey({ ...NAME, id: 'a'.repeat(32) }), bytes);
    return whyOf(WHOSE, stack, store);
  };
  assert.match((await broken(bytesOf('no gzip'))) ?? '', /not JSON/);
  assert.match((await broken(new Uint8Array(gzipSync('{}').subarray(0, 12)))) ?? '', /gzip/);
  assert.match(
    (await broken(new Uint8Array(gzipSync('{"version":3,"sources":[],"mappings":7}')))) ?? '',
    /no mappings/,
  );
  assert.match((await broken(new Uint8Array(gzipSync('{"version":3,"sections":[]}')))) ?? '', /sections/);
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(70_000_000)));
  assert.match((await broken(bomb)) ?? '', /inflates to more/);

  const down = memoryStorage();
  down.failure = storageDown();
  assert.match((await whyOf(WHOSE, stack, down)) ?? '', /^the store failed/);
});

test('resolve: what the store could not give is asked for again, and maps that come later are found', async () => {
  let now = 0;
  const storage = memoryStorage();
  const maps = createMapCache({ storage, now: () => now });
  const isResolved = async (): Promise<boolean> =>
    (await resolveStack(maps, stackOf(built.code, URL), WHOSE)).isResolved;
  storage.failure = storageDown();
  assert.equal(await isResolved(), false);
  storage.failure = undefined;
  assert.equal(await isResolved(), false, 'nothing there yet');
  await putMap(storage, NAME, bytesOf(built.map));
  now = 60_000;
  assert.equal(await isResolved(), true);
  storage.calls.length = 0;
  await Promise.all(Array.from({ length: 20 }, isResolved));
  assert.deepEqual(storage.calls, [], 'what is known is not asked for');
});

test('resolve: of one path the longest tail is it, and of one tail the map that was put last', async () => {
  const other = JSON.stringify({ version: 3, sources: ['wrong.js'], names: [], mappings: 'AAAA' });
  const storage = memoryStorage();
  await putMap(storage, { ...NAME, path: 'app.js' }, bytesOf(other));
  await putMap(storage, NAME, bytesOf(built.map));
  const sourceOf = async (store: Parameters<typeof createMapCache>[0]['storage']): Promise<unknown> => {
    const { lines } = await resolveStack(createMapCache({ storage: store }), stackOf(built.code, URL), WHOSE);
    return lines[1]?.place?.source;
  };
  assert.equal(await sourceOf(storage), 'src/check-out.js');

  await putMap(storage, NAME, bytesOf(other));
  for (const [newest, source] of [
    [built.map, 'src/check-out.js'],
    [other, 'wrong.js'],
  ] as const) {
    const store = memoryStorage();
    await putMap(store, NAME, bytesOf(newest));
    const [newestKey] = store.objects.keys();
    const dated: typeof storage.list = async (...args) => {
      const { objects } = await storage.list(...args);
      return { objects: objects.map((one) => ({ ...one, storedAtMillis: one.key === newestKey ? 2 : 1 })) };
    };
    assert.equal(await sourceOf({ ...storage, list: dated }), source);
  }
});
