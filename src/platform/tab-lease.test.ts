import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store, StoreKey } from './platform.js';
import { createLeaseTabs } from './tab-lease.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns++) await turn();
};

/** One origin: its store, which answers a turn later, and one clock for all of its pages. */
function origin() {
  const records = new Map<string, [StoreKey, unknown]>();
  const isBelow = (key: StoreKey, prefix: StoreKey): boolean => prefix.every((part, at) => key[at] === part);
  let failing = false;
  const answer = async <T>(work: () => T): Promise<T> => {
    await turn();
    if (failing) throw new Error('the store fails');
    return work();
  };
  const below = (prefix: StoreKey): [StoreKey, unknown][] =>
    [...records.values()].filter(([key]) => isBelow(key, prefix));
  const store: Store = {
    write: ({ puts = [], deletes = [] }) =>
      answer(() => {
        for (const prefix of deletes) for (const [key] of below(prefix)) records.delete(key.join());
        for (const [key, value] of puts) records.set(key.join(), [key, value]);
        return true;
      }),
    keys: (prefix) => answer(() => below(prefix).map(([key]) => key)),
    read: (prefix, limit) => answer(() => below(prefix).slice(0, limit)),
    letGo() {},
    close() {},
  };
  let nowMillis = 1_790_000_000_000;
  const timers = new Set<{ page: string; atMillis: number; task: () => void }>();
  const dead = new Set<string>();
  return {
    records,
    timers,
    failing: (fails: boolean) => {
      failing = fails;
    },
    open: (page: string) =>
      createLeaseTabs(page, store, {
        now: () => nowMillis,
        after(millis, task) {
          const timer = { page, atMillis: nowMillis + millis, task };
          timers.add(timer);
          return () => void timers.delete(timer);
        },
      }),
    /** The page's timers run no more. */
    kill: (page: string) => void dead.add(page),
    jump(millis: number) {
      nowMillis += millis;
    },
    async pass(millis: number) {
      const end = nowMillis + millis;
      for (;;) {
        const [next] = [...timers]
          .filter(({ page, atMillis }) => atMillis <= end && !dead.has(page))
          .sort((a, b) => a.atMillis - b.atMillis);
        if (!next) break;
        timers.delete(next);
        nowMillis = Math.max(nowMillis, next.atMillis);
        next.task();
        await settle();
      }
      nowMillis = end;
    },
  };
}

const idle = async (): Promise<void> => {};

test('lease: a page lives for as long as it renews, and is dead three minutes after it stopped', async () => {
  const { open, pass, kill } = origin();
  const [a, b] = [open('a'), open('b')];
  await a.hold();
  await pass(600_000);
  assert.equal(await b.ifDead('a', idle), false);
  kill('a');
  await pass(160_000);
  assert.equal(await b.ifDead('a', idle), false);
  await pass(20_000);
  assert.equal(await b.ifDead('a', idle), true);
});

test('lease: a page that lets go is dead at once, leaves no timer and no record', async () => {
  const { open, records, timers } = origin();
  const [a, b] = [open('a'), open('b')];
  assert.equal(await b.ifDead('a', idle), true);
  await a.hold();
  a.release();
  assert.equal(await b.ifDead('a', idle), true);
  await settle();
  assert.equal(timers.size, 0);
  assert.equal(records.size, 0);
  await a.hold();
  assert.equal(await b.ifDead('a', idle), false);
  a.close();
  await settle();
  assert.equal(timers.size, 0);
  assert.equal(records.size, 0);
});

test('lease: a page waits to hold until the task on what it left has ended', async () => {
  const { open, pass } = origin();
  const [a, b] = [open('a'), open('b')];
  let end = (): void => {};
  const ran = b.ifDead('a', () => new Promise((resolve) => (end = resolve)));
  await settle();
  let held = false;
  void a.hold().then(() => (held = true));
  await pass(60_000);
  assert.equal(held, false);
  end();
  assert.equal(await ran, true);
  await pass(1_000);
  assert.equal(held, true);
});

test('lease: a page that lets go while it waits stops waiting', async () => {
  const { open, pass, timers } = origin();
  const [a, b] = [open('a'), open('b')];
  let end = (): void => {};
  const ran = b.ifDead('a', () => new Promise((resolve) => (end = resolve)));
  await settle();
  const known = a.hold();
  await settle();
  a.release();
  await pass(1_000);
  await known;
  end();
  await ran;
  assert.equal(timers.size, 0);
});

test('lease: one task at a time in a lane, also of one page; others in other lanes', async () => {
  const { open } = origin();
  const [a, b] = [open('a'), open('b')];
  let end = (): void => {};
  const ran = a.alone('lane', () => new Promise((resolve) => (end = resolve)));
  await settle();
  assert.equal(await b.alone('lane', idle), false);
  assert.equal(await a.alone('lane', idle), false);
  assert.equal(await b.alone('other lane', idle), true);
  end();
  assert.equal(await ran, true);
  assert.equal(await b.alone('lane', idle), true);
});

test('lease: of those that begin at once, at most one runs', async () => {
  for (let lag = 0; lag < 6; lag++) {
    const { open } = origin();
    let running = 0;
    const task = async (): Promise<void> => {
      running++;
      assert.equal(running, 1, `${lag} turns apart`);
      for (let turns = 0; turns < 10; turns++) await settle();
      running--;
    };
    const first = open('b').alone('lane', task);
    for (let turns = 0; turns < lag; turns++) await turn();
    // Its name is before and after the other's.
    await Promise.all([first, open('a').alone('lane', task), open('c').alone('lane', task)]);
  }
});

test('lease: a page that dies in a task frees the lane in half a minute, and its record goes', async () => {
  const { open, pass, kill, records } = origin();
  const [a, b] = [open('a'), open('b')];
  void a.alone('lane', () => new Promise(() => {}));
  await pass(100_000);
  assert.equal(await b.alone('lane', idle), false);
  kill('a');
  await pass(30_000);
  assert.equal(await b.alone('lane', idle), true);
  await settle();
  assert.equal(records.size, 0);
});

test('lease: a task that fails says so, and frees the lane', async () => {
  const { open } = origin();
  const a = open('a');
  await assert.rejects(
    a.alone('lane', () => Promise.reject(new Error('planted'))),
    /planted/,
  );
  assert.equal(await a.alone('lane', idle), true);
});

test('lease: one from a clock that has been set back is not believed', async () => {
  const { open, jump } = origin();
  const [a, b] = [open('a'), open('b')];
  await a.hold();
  jump(-3_600_000);
  assert.equal(await b.ifDead('a', idle), true);
});

test('lease: when the store fails nothing is run, hold resolves, and holds when it works again', async () => {
  const { open, failing, pass } = origin();
  const [a, b] = [open('a'), open('b')];
  failing(true);
  await a.hold();
  await assert.rejects(
    b.ifDead('c', () => assert.fail('ran')),
    /the store fails/,
  );
  await pass(40_000);
  failing(false);
  await pass(20_000);
  assert.equal(await b.ifDead('a', idle), false);
});
