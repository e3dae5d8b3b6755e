import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { handMade } from '../testing/encoding.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import type { EncodedTrace, SealedBlob, SpanGroup } from './model.js';
import { createSealer, type Sealer, type SealerDeps } from './seal.js';

interface World {
  platform: TestPlatform;
  sealer: Sealer;
  blobs: SealedBlob[];
  dropped: Record<string, number>;
  exceptions: unknown[];
}

/** Encodes a group as its trace id, `chars` times per span; 'bad' spans are lost. */
function setUp(options: { maxTraces?: number; deps?: Partial<SealerDeps> } = {}): World {
  const platform = testPlatform();
  const blobs: SealedBlob[] = [];
  const dropped: Record<string, number> = {};
  const exceptions: unknown[] = [];
  const gzip = (json: string) => ({ bytes: new Uint8Array(gzipSync(json)), rawBytes: json.length });
  const encode: SealerDeps['encode'] = ({ traceId, spans }, onDropped) => {
    const good = spans.filter(({ name }) => name !== 'bad');
    if (good.length < spans.length) onDropped('unencodable', spans.length - good.length);
    if (!good.length) return undefined;
    const summary = {
      traceId,
      rootName: 'root',
      startedAt: 0,
      durationMs: 0,
      spanCount: good.length,
      error: false,
    };
    return { json: good.map(({ name }) => `${traceId}:${name}`).join(','), summary };
  };
  let serial = 0;
  const sealer = createSealer(
    {
      platform,
      newId: () => `blob-${++serial}`,
      lost() {},
      encode,
      encodeSliced: async (group, onDropped, pause) => {
        await pause();
        return encode(group, onDropped);
      },
      bodyOf: (traces) => traces.map(({ json }) => json).join(';'),
      gzip: async (json) => gzip(json),
      gzipNow: gzip,
      async sealed(blob) {
        blobs.push(blob);
      },
      dropped: (reason, spans) => {
        dropped[reason] = (dropped[reason] ?? 0) + spans;
      },
      exception: (error) => void exceptions.push(error),
      ...options.deps,
    },
    options.maxTraces ?? 200,
  );
  return { platform, sealer, blobs, dropped, exceptions };
}

const group = (traceId: string, ...names: string[]): SpanGroup => ({
  traceId,
  spans: names.map((name) => handMade({ name })),
});
const bodies = ({ blobs }: World): string[] => blobs.map(({ bytes }) => gunzipSync(bytes).toString());
const incompressible = (length: number): string =>
  Buffer.from(testPlatform().randomBytes(length)).toString('base64').slice(0, length);

test('sealer: traces share a blob, up to the most that one may hold', async () => {
  const world = setUp({ maxTraces: 2 });
  const safe = world.sealer.accept([group('a', 'x', 'y'), group('b', 'x'), group('c', 'x')]);
  assert.equal(world.sealer.spanCount, 4);
  world.sealer.start();
  assert.equal(await safe, true);
  assert.deepEqual(bodies(world), ['a:x,a:y;b:x', 'c:x']);
  assert.deepEqual(
    world.blobs.map(({ spanCount, traces }) => [spanCount, traces.length]),
    [
      [3, 2],
      [1, 1],
    ],
  );
  assert.equal(world.sealer.spanCount, 0);
});

test('sealer: one trace per blob, strictly', async () => {
  const world = setUp({ maxTraces: 1 });
  void world.sealer.accept([group('a', 'x'), group('b', 'x')]);
  world.sealer.start();
  await world.sealer.idle();
  assert.deepEqual(bodies(world), ['a:x', 'b:x']);
});

test('sealer: a trace over the blob’s size stands alone and whole', async () => {
  const world = setUp();
  const large = 'x'.repeat(3_000_000);
  void world.sealer.accept([group('a', 'x'), group('b', large), group('c', 'x')]);
  world.sealer.start();
  await world.sealer.idle();
  assert.deepEqual(
    bodies(world).map(({ length }) => length),
    [3, large.length + 2, 3],
  );
});

test('sealer: a span that cannot be encoded is counted when its group leaves, and the answer is not safe', async () => {
  const world = setUp();
  const safe = world.sealer.accept([group('a', 'x', 'bad'), group('b', 'bad')]);
  world.sealer.start();
  assert.equal(await safe, false);
  assert.deepEqual(bodies(world), ['a:x']);
  assert.deepEqual(world.dropped, { unencodable: 2 });
  assert.equal(world.sealer.spanCount, 0);
});

test('sealer: what is being encoded as the page leaves is sealed in this task, once', async () => {
  let resume = (): void => {};
  const world = setUp({
    deps: {
      encodeSliced: async (_group, onDropped) => {
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
        onDropped('unencodable', 1);
        return undefined;
      },
    },
  });
  const safe = world.sealer.accept([group('a', 'x', 'bad'), group('b', 'x')]);
  world.sealer.start();
  await settle();
  world.sealer.sealNow(() => 60_000);
  assert.deepEqual(bodies(world).join(';').split(';').sort(), ['a:x', 'b:x']);
  resume();
  await settle();
  assert.equal(world.blobs.length, 1);
  assert.deepEqual(world.dropped, { unencodable: 1 });
  assert.equal(await safe, false);
});

test('sealer: leaving puts the smallest traces first and splits a blob that does not fit', () => {
  const world = setUp();
  const names = [30_000, 10_000, 20_000, 5_000].map(incompressible);
  void world.sealer.accept(names.map((name, at) => group(`t${at}`, name)));
  world.sealer.sealNow(() => 15_000);
  const order = bodies(world)
    .join(';')
    .split(';')
    .map((body) => body.slice(0, 2));
  assert.deepEqual(order, ['t3', 't1', 't2', 't0']);
  assert.ok(world.blobs.length > 1);
  assert.equal(world.sealer.spanCount, 0);
});

test('sealer: with hardly any room left a blob is not split further', () => {
  const world = setUp();
  void world.sealer.accept([group('a', incompressible(30_000)), group('b', incompressible(30_000))]);
  world.sealer.sealNow(() => 2_048);
  assert.equal(world.blobs.length, 1);
});

test('sealer: what is dropped is counted whole, though some of it was bad', async () => {
  const world = setUp();
  const safe = world.sealer.accept([group('a', 'x', 'bad')]);
  world.sealer.start();
  world.sealer.drop('paused');
  assert.equal(await safe, false);
  await settle();
  assert.deepEqual(world.dropped, { paused: 2 });
  assert.equal(world.blobs.length, 0);
});

test('sealer: a resource’s attributes are awaited, and may fail', async () => {
  const world = setUp();
  const attributes: { reject: (error: Error) => void } = { reject: () => {} };
  const waiting = new Promise<void>((_, reject) => {
    attributes.reject = reject;
  });
  const span = handMade({ name: 'x', resource: { attributes: {}, waitForAsyncAttributes: () => waiting } });
  void world.sealer.accept([{ traceId: 'a', spans: [span] }]);
  world.sealer.start();
  await settle();
  assert.equal(world.blobs.length, 0);
  attributes.reject(new Error('planted'));
  await world.sealer.idle();
  assert.deepEqual(bodies(world), ['a:x']);
});

test('sealer: an exception of its own costs what was accepted, once, and the next group is sealed', async () => {
  let failing = true;
  const world = setUp({
    deps: {
      bodyOf: (traces) => {
        if (failing) throw new Error('planted');
        return traces.map(({ json }) => json).join(';');
      },
    },
  });
  const safe = world.sealer.accept([group('a', 'x')]);
  world.sealer.start();
  assert.equal(await safe, false);
  assert.deepEqual(world.dropped, { unencodable: 1 });
  assert.equal(world.exceptions.length, 1);
  failing = false;
  void world.sealer.accept([group('b', 'x')]);
  world.sealer.start();
  await world.sealer.idle();
  assert.deepEqual(bodies(world), ['b:x']);
});

test('sealer: between blobs the main thread is given back', async () => {
  const world = setUp({ maxTraces: 1 });
  void world.sealer.accept(['a', 'b', 'c'].map((id) => group(id, 'x')));
  world.sealer.start();
  await world.sealer.idle();
  assert.ok(world.platform.yields >= 5, `${world.platform.yields} yields`);
});

test('sealer: what cannot be compressed as the page leaves still waits', async () => {
  let broken = true;
  const bytes = new Uint8Array(gzipSync('later'));
  const world = setUp({
    deps: {
      gzipNow: (json) => {
        if (broken) throw new RangeError('out of memory');
        return { bytes, rawBytes: json.length };
      },
    },
  });
  void world.sealer.accept([group('a', 'x', 'y')]);
  assert.throws(() => world.sealer.sealNow(() => 60_000), /out of memory/);
  assert.equal(world.sealer.spanCount, 2);
  broken = false;
  world.sealer.sealNow(() => 60_000);
  assert.equal(world.sealer.spanCount, 0);
  assert.equal(world.blobs.length, 1);
});

/** A sealer that tells what its blobs are made of, and what is lost. */
function setUpItems(maxTraces = 200): World & { sealed: unknown[][]; lost: unknown[] } {
  const sealed: unknown[][] = [];
  const lost: unknown[] = [];
  const world: World = setUp({
    maxTraces,
    deps: {
      async sealed(blob, items) {
        world.blobs.push(blob);
        sealed.push(items);
      },
      lost: (items) => void lost.push(...items),
    },
  });
  return { ...world, sealed, lost };
}
const adopted = (traceId: string, spanCount = 2): EncodedTrace => ({
  json: `${traceId}:adopted`,
  summary: { ...{ traceId, rootName: '', startedAt: 0, durationMs: 0, spanCount }, error: true },
});

for (const way of ['start', 'sealNow'] as const) {
  test(`sealer: what an earlier page had encoded goes as it is beside our own (${way}), each blob with what it is made of`, async () => {
    const world = setUpItems();
    const [x, a] = [adopted('x'), group('a', 'one', 'bad')];
    world.sealer.adopt([x], undefined);
    void world.sealer.accept([a]);
    assert.equal(world.sealer.spanCount, 4);
    if (way === 'start') world.sealer.start();
    else world.sealer.sealNow(() => 60_000);
    await world.sealer.idle();
    assert.deepEqual(bodies(world).join().split(';').sort(), ['a:one', 'x:adopted']);
    assert.deepEqual(new Set(world.sealed.flat()), new Set([x, ...a.spans]));
    assert.equal(world.blobs[0]?.spanCount, 3);
    assert.equal(world.blobs[0]?.error, true);
    assert.equal(world.sealer.spanCount, 0);
    // The group of what could not be encoded is released as a whole.
    assert.deepEqual(world.lost, a.spans);
  });
}

test('sealer: what is dropped is said to be lost, also what an earlier page had encoded', () => {
  const world = setUpItems();
  const [x, a] = [adopted('x'), group('a', 'one')];
  world.sealer.adopt([x], undefined);
  void world.sealer.accept([a]);
  world.sealer.drop('paused');
  assert.deepEqual(world.lost, [x, ...a.spans]);
  assert.deepEqual(world.dropped, { paused: 3 });
  assert.equal(world.sealer.spanCount, 0);
});

test('sealer: spans of which none can be encoded are lost, without a blob', async () => {
  const world = setUpItems();
  const a = group('a', 'bad', 'bad');
  void world.sealer.accept([a]);
  world.sealer.start();
  await world.sealer.idle();
  assert.deepEqual(world.lost, a.spans);
  assert.deepEqual(world.sealed, []);
});

for (const way of ['start', 'sealNow'] as const) {
  test(`sealer: what an earlier page had encoded for one delivery goes to no other (${way})`, async () => {
    const sealed: [string, number | undefined][] = [];
    const dropped: unknown[] = [];
    const { sealer } = setUp({
      deps: {
        async sealed({ traces }, _items, lane) {
          sealed.push([traces.map(({ traceId }) => traceId).join(), lane]);
        },
        dropped: (...drop) => void dropped.push(drop),
      },
    });
    sealer.adopt([adopted('x'), adopted('y')], 0);
    void sealer.accept([group('a', 'one'), group('b', 'one')]);
    sealer.adopt([adopted('z', 3)], 1);
    void sealer.accept([group('c', 'one')]);
    assert.deepEqual([0, 1, 2].map(sealer.waitingFor), [7, 3, 0], 'what is for all counts for the first');
    if (way === 'start') sealer.start();
    else sealer.sealNow(() => 60_000);
    await sealer.idle();
    const [all, ...others] = [undefined, 0, 1].map((wanted) =>
      sealed.flatMap(([traces, lane]) => (lane === wanted ? traces.split(',') : [])).sort(),
    );
    assert.deepEqual(all, ['a', 'b', 'c']);
    assert.deepEqual(others, [['x', 'y'], ['z']]);
    // What is sealed in slices goes in the order in which it came.
    assert.equal(sealed.length, way === 'start' ? 4 : 3);
    sealer.adopt([adopted('x')], 1);
    sealer.drop('paused');
    assert.deepEqual(dropped, [['paused', 2, 1]]);
  });
}
