import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { handMade, setUp as setUpEncoding } from '../testing/encoding.js';
import { type TestOrigin, testOrigin } from '../testing/origin.js';
import { type TestPlatform, testPlatform } from '../testing/platform.js';
import { bodyOf } from './encode.js';
import type { Claim, ReadableSpan, SpanGroup, TraceBlob } from './model.js';
import { type Checkpoint, createCheckpoint } from './outbox-checkpoint.js';
import { createWriteQueue } from './outbox-queue.js';
import { blobOf } from './outbox-record.js';
import { createTail, type Tail } from './outbox-tail.js';

const PREFIX = ['lane', 'page'];

interface World {
  platform: TestPlatform;
  origin: TestOrigin;
  checkpoint: Checkpoint;
  tail: Tail;
  /** What was armed, in its order. */
  armed: { blob: TraceBlob; claim: Claim; state: 'armed' | 'taken back' | 'sent' }[];
  /** Keys to spare, and those that came back. */
  spare: Claim[];
  /** The most that a key takes, bytes; keys that are not named take anything. */
  takes: Partial<Record<string, number>>;
  returned: Claim[];
  troubles: string[];
  exceptions: unknown[];
  gzipFails: boolean;
  /** Bytes that compressing makes whatever it is given. */
  gzipBytes: number | undefined;
  /** Holds compressing up until it is called. */
  gzipGate: Promise<void> | undefined;
  /** Holds up the news that something was written. */
  writeGate: Promise<void> | undefined;
}

function setUp(): World {
  const origin = testOrigin();
  const platform = testPlatform({ origin });
  const store = origin.openStore();
  const queue = createWriteQueue({
    store: {
      ...store,
      async write(change) {
        const made = await store.write(change);
        await world.writeGate;
        return made;
      },
    },
    ready: Promise.resolve(),
    after: platform.after,
    failed() {},
  });
  const world: Omit<World, 'checkpoint' | 'tail'> = {
    ...{ platform, origin, armed: [], returned: [], takes: {}, troubles: [], exceptions: [] },
    spare: [1, 2].map((serial) => ({ key: `k${serial}`, token: `t${serial}`, tries: 0 })),
    ...{ gzipFails: false, gzipBytes: undefined, gzipGate: undefined, writeGate: undefined },
  };
  const { encoder } = setUpEncoding();
  const encode = (group: SpanGroup) => encoder.encode(group);
  const checkpoint: Checkpoint = createCheckpoint({
    whenIdle: platform.whenIdle,
    after: platform.after,
    encode,
    queue,
    wrote: () => tail.grew(),
    prefix: PREFIX,
  });
  const tail: Tail = createTail({
    after: platform.after,
    now: platform.now,
    checkpoint,
    queue,
    prefix: PREFIX,
    encode,
    bodyOf,
    async gzip(json) {
      await world.gzipGate;
      if (world.gzipFails) throw new Error('planted');
      const bytes = world.gzipBytes ? new Uint8Array(world.gzipBytes) : new Uint8Array(gzipSync(json));
      return { bytes, rawBytes: json.length };
    },
    reserve(length, held) {
      const takes = ({ key }: Claim): boolean => length <= (world.takes[key] ?? length);
      if (held && takes(held)) return held;
      const at = world.spare.findIndex(takes);
      return at < 0 ? undefined : world.spare.splice(at, 1)[0];
    },
    unreserve: (claim) => void world.returned.push(claim),
    defer(blob, claim) {
      const one: World['armed'][number] = { blob, claim, state: 'armed' };
      world.armed.push(one);
      return () => {
        if (one.state === 'armed') one.state = 'taken back';
        return one.state !== 'sent';
      };
    },
    id: 'tail-id',
    seq: () => 7,
    trouble: (kind) => void world.troubles.push(kind),
    guard(task) {
      try {
        task();
      } catch (error) {
        world.exceptions.push(error);
      }
    },
  });
  return Object.assign(world, { checkpoint, tail });
}

/** A span ends, and is written down. */
async function ended(
  { platform, checkpoint }: World,
  fields: Parameters<typeof handMade>[0] = {},
): Promise<ReadableSpan> {
  const span = handMade(fields);
  checkpoint.ended(span);
  await platform.advance(20);
  return span;
}
const states = ({ armed }: World) => armed.map(({ state, claim }) => `${state} ${claim.key}`);
const kinds = ({ origin }: World) => origin.keys().map(([, , kind]) => kind);

/** What the next page would make of the record. */
function found({ origin }: World): TraceBlob | undefined {
  const at = (kind: string) => origin.records.get(JSON.stringify([...PREFIX, kind, 'tail-id']));
  return blobOf('tail-id', at('blob'), at('state'));
}

test('tail: what is written down is armed within a second, and is in the database by then under the same key', async () => {
  const world = setUp();
  await ended(world, { status: { code: 2 } });
  await world.platform.advance(789);
  assert.deepEqual(states(world), []);
  assert.deepEqual(kinds(world), ['spans']);
  await world.platform.advance(1);
  assert.deepEqual(states(world), ['armed k1']);
  assert.deepEqual(kinds(world), ['blob', 'state']);
  const { blob, claim: spare } = world.armed[0] as World['armed'][number];
  assert.deepEqual(found(world), { ...blob, unconfirmed: true });
  const { page, seq, spanCount, error, sealedAtMillis, claim } = blob;
  assert.deepEqual(
    { page, seq, spanCount, error, claim },
    { page: 'page', seq: 7, spanCount: 1, error: true, claim: { key: 'k1', token: 't1', tries: 1 } },
  );
  assert.equal(sealedAtMillis, world.platform.now());
  assert.equal(spare.tries, 0, 'the claim itself is unused, should it be taken back');
});

test('tail: as more spans wait the request is replaced, under the same key', async () => {
  const world = setUp();
  for (const name of ['one', 'two', 'three']) {
    await ended(world, { name });
    await world.platform.advance(1_100);
  }
  assert.deepEqual(states(world), ['taken back k1', 'taken back k1', 'armed k1']);
  assert.deepEqual(
    world.armed.map(({ blob }) => blob.spanCount),
    [1, 2, 3],
  );
  assert.deepEqual(kinds(world), ['blob', 'state']);
  assert.equal(found(world)?.spanCount, 3);
  assert.deepEqual(world.returned, []);
});

test('tail: a key that has become too short gives way to another, and is free once no record has it', async () => {
  const world = setUp();
  world.takes = { k1: 500 };
  world.gzipBytes = 500;
  await ended(world);
  await world.platform.advance(1_100);
  world.gzipBytes = 501;
  let open = (): void => {};
  await ended(world);
  world.writeGate = new Promise((resolve) => {
    open = resolve;
  });
  await world.platform.advance(1_100);
  assert.deepEqual(states(world), ['taken back k1']);
  assert.deepEqual(world.returned, []);
  open();
  await world.platform.advance(100);
  assert.deepEqual(states(world), ['taken back k1', 'armed k2']);
  assert.deepEqual(
    world.returned.map(({ key }) => key),
    ['k1'],
  );
  assert.deepEqual(world.armed[1]?.blob.claim, { key: 'k2', token: 't2', tries: 1 });
});

test('tail: where no key takes all, what is armed stays so', async () => {
  const world = setUp();
  world.takes = { k1: 500, k2: 500 };
  world.gzipBytes = 500;
  await ended(world);
  await world.platform.advance(1_100);
  world.gzipBytes = 501;
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(states(world), ['armed k1']);
  assert.deepEqual(world.returned, []);
});

test('tail: one that was sent does not give way, and the key that would have taken its place is free', async () => {
  const world = setUp();
  world.takes = { k1: 500 };
  world.gzipBytes = 500;
  await ended(world);
  await world.platform.advance(1_100);
  (world.armed[0] as World['armed'][number]).state = 'sent';
  world.gzipBytes = 501;
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(states(world), ['sent k1']);
  assert.deepEqual(
    world.returned.map(({ key }) => key),
    ['k2'],
  );
});

test('tail: once any of it is sealed it is taken back, its key is free, and the rest is armed anew', async () => {
  const world = setUp();
  const first = await ended(world);
  await ended(world);
  await world.platform.advance(1_100);
  world.checkpoint.release([first]);
  assert.deepEqual(states(world), ['taken back k1'], 'in this task');
  assert.deepEqual(
    world.returned.map(({ key }) => key),
    ['k1'],
  );
  await world.platform.advance(100);
  assert.deepEqual(kinds(world), ['spans']);
  await world.platform.advance(1_000);
  assert.deepEqual(states(world), ['taken back k1', 'armed k2']);
  assert.equal(found(world)?.spanCount, 1);
});

test('tail: what is sealed while it is compressed is not armed', async () => {
  const world = setUp();
  let open = (): void => {};
  world.gzipGate = new Promise((resolve) => {
    open = resolve;
  });
  const span = await ended(world);
  await world.platform.advance(1_100);
  world.checkpoint.release([span]);
  open();
  await world.platform.advance(100);
  assert.deepEqual(states(world), []);
  assert.deepEqual(kinds(world), []);
});

test('tail: what is sealed while its record is written is not armed', async () => {
  const world = setUp();
  const span = await ended(world);
  world.origin.storeHangs = true;
  await world.platform.advance(1_100);
  world.checkpoint.release([span]);
  await world.platform.advance(2_000);
  assert.deepEqual(states(world), []);
  assert.deepEqual(
    world.returned.map(({ key }) => key),
    ['k1'],
  );
});

for (const end of ['sealed', 'closed'] as const) {
  test(`tail: what is ${end} before it is known that its record was written is not armed`, async () => {
    const world = setUp();
    const span = await ended(world);
    let open = (): void => {};
    world.writeGate = new Promise((resolve) => {
      open = resolve;
    });
    await world.platform.advance(800);
    assert.deepEqual(kinds(world), ['blob', 'state']);
    if (end === 'sealed') world.checkpoint.release([span]);
    else world.tail.close();
    open();
    await world.platform.advance(100);
    assert.deepEqual(states(world), []);
  });
}

for (const trouble of ['storeError', 'storeHangs'] as const) {
  test(`tail: with ${trouble} nothing is armed, because the earlier records may still be there`, async () => {
    const world = setUp();
    await ended(world);
    Object.assign(world.origin, { [trouble]: new Error('planted') });
    await world.platform.advance(5_000);
    assert.deepEqual(states(world), []);
    Object.assign(world.origin, { storeError: undefined, storeHangs: false });
    await ended(world);
    await world.platform.advance(1_100);
    assert.deepEqual(states(world), ['armed k1']);
  });
}

for (const [bytes, isArmed] of [
  [60_000, true],
  [60_001, false],
] as const) {
  test(`tail: ${bytes} bytes are ${isArmed ? '' : 'not '}armed`, async () => {
    const world = setUp();
    world.gzipBytes = bytes;
    await ended(world);
    await world.platform.advance(1_100);
    assert.equal(world.armed.length, isArmed ? 1 : 0);
    assert.deepEqual(kinds(world), isArmed ? ['blob', 'state'] : ['spans']);
  });
}

for (const [chars, isArmed] of [
  [520_000, true],
  [526_000, false],
] as const) {
  test(`tail: ${chars} characters are ${isArmed ? '' : 'not '}compressed and armed`, async () => {
    const world = setUp();
    await ended(world, { attributes: { long: 'x'.repeat(chars) } });
    await world.platform.advance(1_100);
    assert.equal(world.armed.length, isArmed ? 1 : 0);
    assert.equal(world.spare.length, isArmed ? 1 : 2);
  });
}

test('tail: what has become too large stays armed as it was', async () => {
  const world = setUp();
  await ended(world);
  await world.platform.advance(1_100);
  world.gzipBytes = 60_001;
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(states(world), ['armed k1']);
  assert.deepEqual(kinds(world), ['blob', 'spans', 'state']);
});

test('tail: without a URL to spare it waits in the checkpoint, and is armed with what comes later', async () => {
  const world = setUp();
  const spare = world.spare.splice(0);
  await ended(world);
  await world.platform.advance(5_000);
  assert.deepEqual(kinds(world), ['spans']);
  world.spare.push(...spare);
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(states(world), ['armed k1']);
  assert.equal(found(world)?.spanCount, 2);
});

test('tail: with nothing to arm no key is used', async () => {
  const world = setUp();
  world.checkpoint.release([await ended(world)]);
  await ended(world, { startTime: 'never' });
  world.tail.grew();
  await world.platform.advance(5_000);
  assert.equal(world.spare.length, 2);
});

test('tail: a request that the browser has sent is said so, and its key is not used again', async () => {
  const world = setUp();
  const span = await ended(world);
  await world.platform.advance(1_100);
  (world.armed[0] as World['armed'][number]).state = 'sent';
  world.checkpoint.release([span]);
  assert.deepEqual(world.troubles, ['sent-early']);
  assert.deepEqual(world.returned, []);
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(states(world), ['sent k1', 'armed k2']);
});

test('tail: one that was sent is not replaced under its key', async () => {
  const world = setUp();
  await ended(world);
  await world.platform.advance(1_100);
  (world.armed[0] as World['armed'][number]).state = 'sent';
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(world.troubles, ['sent-early']);
  assert.deepEqual(states(world), ['sent k1']);
  assert.equal(found(world)?.spanCount, 1, 'what was sent is what is asked about');
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(states(world), ['sent k1', 'armed k2']);
});

test('tail: what ends while it is being armed is armed next', async () => {
  const world = setUp();
  let open = (): void => {};
  world.gzipGate = new Promise((resolve) => {
    open = resolve;
  });
  await ended(world);
  await world.platform.advance(1_100);
  await ended(world);
  open();
  await world.platform.advance(790);
  assert.deepEqual(states(world), ['armed k1']);
  await world.platform.advance(100);
  assert.deepEqual(states(world), ['taken back k1', 'armed k1']);
  assert.equal(found(world)?.spanCount, 2);
  await world.platform.advance(60_000);
  assert.equal(world.platform.loose.timers, 0, 'nobody polls');
});

test('tail: a compressor that fails is reported, and tried with what comes next', async () => {
  const world = setUp();
  world.gzipFails = true;
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(world.troubles, ['deferred']);
  world.gzipFails = false;
  await ended(world);
  await world.platform.advance(1_100);
  assert.deepEqual(states(world), ['armed k1']);
});

test('tail: close takes back what is armed, arms nothing more, and leaves its record', async () => {
  const world = setUp();
  await ended(world);
  await world.platform.advance(1_100);
  await ended(world);
  world.tail.close();
  assert.deepEqual(states(world), ['taken back k1']);
  await world.platform.advance(5_000);
  assert.deepEqual(states(world), ['taken back k1']);
  assert.deepEqual(kinds(world), ['blob', 'spans', 'state']);
  assert.equal(world.platform.loose.timers, 0);
});

test('tail: close while it is being compressed', async () => {
  const world = setUp();
  let open = (): void => {};
  world.gzipGate = new Promise((resolve) => {
    open = resolve;
  });
  await ended(world);
  await world.platform.advance(1_100);
  world.tail.close();
  open();
  await world.platform.advance(1_000);
  assert.deepEqual(states(world), []);
  assert.deepEqual(kinds(world), ['spans']);
});
