import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreKey } from '../platform/platform.js';
import { handMade } from '../testing/encoding.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import type { EncodedTrace, ReadableSpan } from './model.js';
import { type Checkpoint, createCheckpoint, tracesOfItems } from './outbox-checkpoint.js';
import type { SpansRecord } from './outbox-record.js';

interface World {
  platform: TestPlatform;
  checkpoint: Checkpoint;
  /** Changes in their order: the number of a record, and the names in it; undefined where it goes. */
  changes: [string, string[] | undefined][];
  wrote: number;
}

/** A span of trace `name[0]`; those whose name has a '!' cannot be encoded. */
const span = (name: string): ReadableSpan =>
  handMade({ name, spanContext: () => ({ traceId: name[0], spanId: 'b'.repeat(16), traceFlags: 1 }) });

const encode = ({ traceId, spans }: { traceId: string; spans: ReadableSpan[] }): EncodedTrace | undefined => {
  const names = spans.map(({ name }) => name).filter((name) => !name.includes('!'));
  if (!names.length) return undefined;
  const summary = {
    traceId,
    rootName: '',
    startedAt: 0,
    durationMs: 0,
    spanCount: names.length,
    error: false,
  };
  return { json: names.join(' '), summary };
};
const foreign = (name: string): EncodedTrace =>
  encode({ traceId: name, spans: [span(name)] }) as EncodedTrace;

function setUp(): World {
  const platform = testPlatform();
  const world: Omit<World, 'checkpoint'> = { platform, changes: [], wrote: 0 };
  const checkpoint = createCheckpoint({
    whenIdle: (millis, task) => platform.after(millis, task),
    after: platform.after,
    encode,
    queue: {
      change(key: StoreKey, value: unknown) {
        const traces = (value as SpansRecord | undefined)?.traces;
        world.changes.push([key.join('/'), traces?.map(({ json }) => json)]);
      },
      putIfPresent: async () => true,
      settled: async () => {},
      flush() {},
      undeleted: () => [],
    },
    wrote: () => void world.wrote++,
    prefix: ['lane', 'page'],
  });
  return Object.assign(world, { checkpoint });
}

const key = (serial: number): string => `lane/page/spans/${serial}`;

/** Ends these spans, and lets them be written. */
async function written(world: World, ...names: string[]): Promise<ReadableSpan[]> {
  const spans = names.map(span);
  for (const one of spans) world.checkpoint.ended(one);
  await world.platform.advance(200);
  return spans;
}

test('checkpoint: what ended is written at the next idle moment, together, each trace whole', async () => {
  const { platform, checkpoint, changes } = setUp();
  for (const name of ['a1', 'b1', 'a2']) checkpoint.ended(span(name));
  await platform.advance(49);
  assert.deepEqual(changes, [], 'not while the page is busy');
  await platform.advance(1);
  assert.deepEqual(changes, [[key(1), ['a1 a2', 'b1']]]);
  assert.equal(checkpoint.serial, 1);
});

test('checkpoint: a hundred milliseconds lie between two records, and each span is written once', async () => {
  const { platform, checkpoint, changes } = setUp();
  checkpoint.ended(span('a1'));
  await platform.advance(50);
  checkpoint.ended(span('a2'));
  await platform.advance(149);
  assert.equal(changes.length, 1);
  await platform.advance(1);
  assert.deepEqual(changes[1], [key(2), ['a2']]);
  await platform.advance(1_000);
  assert.equal(changes.length, 2);
  assert.equal(platform.loose.timers, 0, 'nobody polls');
});

test('checkpoint: after a pause the next span does not wait for more than an idle moment', async () => {
  const world = setUp();
  await written(world, 'a1');
  world.checkpoint.ended(span('a2'));
  await world.platform.advance(50);
  assert.equal(world.changes.length, 2);
});

test('checkpoint: a record holds two hundred spans, the next the rest', async () => {
  const { platform, checkpoint, changes } = setUp();
  for (let count = 0; count < 401; count++) checkpoint.ended(span(`a${count}`));
  await platform.advance(1_000);
  assert.deepEqual(
    changes.map(([, traces]) => traces?.join(' ').split(' ').length),
    [200, 200, 1],
  );
});

test('checkpoint: a record goes when all of it is in blobs', async () => {
  const world = setUp();
  const spans = await written(world, 'a1', 'b1');
  assert.equal(world.wrote, 1);
  assert.deepEqual(world.checkpoint.items(), spans);
  world.checkpoint.release(spans);
  assert.deepEqual(world.changes.slice(1), [[key(1), undefined]]);
  assert.deepEqual(world.checkpoint.items(), []);
  assert.equal(world.checkpoint.has(spans[0] as ReadableSpan), false);
  assert.equal(world.wrote, 1);
});

test('checkpoint: a record of which some still waits is written anew with that, in the same task', async () => {
  const world = setUp();
  const [a1, b1] = (await written(world, 'a1', 'b1', 'c1')) as [ReadableSpan, ReadableSpan];
  world.checkpoint.release([b1]);
  assert.deepEqual(world.changes.slice(1), [
    [key(1), undefined],
    [key(2), ['a1', 'c1']],
  ]);
  assert.equal(world.checkpoint.has(a1), true);
  world.checkpoint.release([b1]);
  assert.equal(world.changes.length, 3, 'released twice');
});

test('checkpoint: one release of several records writes each of them anew once', async () => {
  const world = setUp();
  const one = await written(world, 'a1', 'a2', 'a3');
  const other = await written(world, 'b1');
  world.checkpoint.release([...one.slice(0, 2), ...other]);
  assert.deepEqual(world.changes.slice(2), [
    [key(1), undefined],
    [key(3), ['a3']],
    [key(2), undefined],
  ]);
});

test('checkpoint: what is in a blob before it was written is not written', async () => {
  const { platform, checkpoint, changes } = setUp();
  const [a1, b1] = [span('a1'), span('b1')];
  checkpoint.ended(a1);
  checkpoint.ended(b1);
  checkpoint.release([a1]);
  await platform.advance(1_000);
  assert.deepEqual(changes, [[key(1), ['b1']]]);
  checkpoint.release([b1]);
  const c1 = span('c1');
  checkpoint.ended(c1);
  checkpoint.release([c1]);
  await platform.advance(1_000);
  assert.deepEqual(changes.slice(1), [[key(1), undefined]]);
});

test('checkpoint: spans that cannot be encoded hold nothing up', async () => {
  const world = setUp();
  const [bad, good] = (await written(world, 'a!', 'b1')) as [ReadableSpan, ReadableSpan];
  assert.deepEqual(world.changes, [[key(1), ['b1']]]);
  world.checkpoint.release([good]);
  assert.deepEqual(world.changes.slice(1), [[key(1), undefined]], 'an empty record is written');
  assert.equal(world.wrote, 1);
  world.checkpoint.release([bad]);
  assert.equal(world.checkpoint.has(bad), false);
});

test('checkpoint: traces of an earlier page go with their record, and the rest is written anew', async () => {
  const world = setUp();
  const [x, y] = [foreign('x'), foreign('y')];
  world.checkpoint.adopted([x, y], ['lane', 'page', 'spans', 'old 3']);
  assert.equal(world.checkpoint.has(x), true);
  assert.deepEqual(world.changes, [], 'it is written already');
  world.checkpoint.release([x]);
  world.checkpoint.release([y]);
  assert.deepEqual(world.changes, [
    [key(3).replace('3', 'old 3'), undefined],
    [key(1), ['y']],
    [key(1), undefined],
  ]);
});

test('checkpoint: other records take the place of those that the items were in', async () => {
  const world = setUp();
  const [a1, b1] = (await written(world, 'a1', 'b1')) as [ReadableSpan, ReadableSpan];
  let dissolved = 0;
  world.checkpoint.replace([a1], [[['tail'], { traces: [{ json: 'tail' }] }]], {
    dissolved: () => void dissolved++,
    written() {},
  });
  assert.deepEqual(world.changes.slice(1), [
    [key(1), undefined],
    [key(2), ['b1']],
    ['tail', ['tail']],
  ]);
  world.checkpoint.release([b1]);
  assert.equal(dissolved, 0, 'none of its items');
  world.checkpoint.release([a1]);
  assert.equal(dissolved, 1);
  assert.deepEqual(world.changes.slice(4), [
    [key(2), undefined],
    ['tail', undefined],
  ]);
});

test('checkpoint: what takes the place of what took the place does not dissolve it', async () => {
  const world = setUp();
  const items = await written(world, 'a1', 'b1');
  const dissolved: string[] = [];
  for (const name of ['first', 'second']) {
    world.checkpoint.replace(items, [[['tail'], { traces: [{ json: name }] }]], {
      dissolved: () => void dissolved.push(name),
      written() {},
    });
  }
  // The last word on a key counts: the tail's record is deleted before it is put.
  assert.deepEqual(world.changes.slice(2), [
    ['tail', ['first']],
    ['tail', undefined],
    ['tail', ['second']],
  ]);
  world.checkpoint.release(items.slice(0, 1));
  assert.deepEqual(dissolved, ['second']);
  assert.deepEqual(world.changes.slice(5), [
    ['tail', undefined],
    [key(2), ['b1']],
  ]);
});

test('checkpoint: after close nothing is written', async () => {
  const { platform, checkpoint, changes } = setUp();
  checkpoint.ended(span('a1'));
  checkpoint.close();
  checkpoint.ended(span('a2'));
  await platform.advance(1_000);
  await settle();
  assert.deepEqual(changes, []);
  assert.equal(platform.loose.timers, 0);
});

test('checkpoint: of what is found in the database, what it should not hold any more goes', async () => {
  const world = setUp();
  await written(world, 'a1');
  await written(world, 'b1');
  world.changes.length = 0;
  const found = ['1', '2', '7'].map((number) => ['lane', 'page', 'spans', number]);
  world.checkpoint.resume([...found, ['tail']]);
  assert.deepEqual(world.changes, [
    [key(7), undefined],
    ['tail', undefined],
  ]);
});

test('checkpoint: after close a span that ends sets no timer', () => {
  const { platform, checkpoint } = setUp();
  checkpoint.close();
  checkpoint.ended(span('a1'));
  assert.equal(platform.loose.timers, 0);
});

test('checkpoint: while others may take over what is there, nothing is; afterwards all is written again', async () => {
  const world = setUp();
  const { platform, checkpoint, changes } = world;
  const [a1] = (await written(world, 'a1', 'b1')) as [ReadableSpan];
  const x = foreign('x');
  checkpoint.adopted([x], ['old']);
  let dissolved = 0;
  checkpoint.replace([a1], [[['tail'], { traces: [] }]], { dissolved: () => void dissolved++, written() {} });
  changes.length = 0;
  checkpoint.suspend();
  assert.deepEqual(new Map(changes), new Map([key(2), 'old', 'tail'].map((name) => [name, undefined])));
  assert.equal(dissolved, 1);
  assert.deepEqual(checkpoint.items(), []);
  checkpoint.ended(span('c1'));
  checkpoint.release([a1]);
  await platform.advance(1_000);
  assert.equal(changes.length, 3);
  checkpoint.resume([]);
  await platform.advance(1_000);
  assert.deepEqual(changes.slice(3), [[key(3), ['x', 'b1', 'c1']]]);
  assert.equal(platform.loose.timers, 0);
});

test('checkpoint: spans become traces by their ids, and traces of earlier pages stay what they are', () => {
  const x = foreign('x');
  const traces = tracesOfItems([span('a1'), x, span('b!'), span('a2')], encode);
  assert.deepEqual(
    traces.map(({ json }) => json),
    ['x', 'a1 a2'],
  );
  assert.equal(traces[0], x);
});
