import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tabs } from './platform.js';
import { createTabs } from './tabs.js';

type Granted = (lock: object | null) => Promise<unknown>;
interface Waiting {
  signal: AbortSignal | undefined;
  callback: Granted;
  settle: (result: unknown) => void;
  fail: (error: Error) => void;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const named = (name: string): Error => Object.assign(new Error(name), { name });

/** Exclusive locks of one origin. */
function lockManager() {
  const held = new Map<string, Waiting>();
  const queues = new Map<string, Waiting[]>();
  let refusal: Error | undefined;
  const grant = async (name: string, request: Waiting): Promise<void> => {
    held.set(name, request);
    // As in browsers, in a task of its own.
    await settle();
    // One that was aborted in the meantime is not called.
    if (!request.signal?.aborted) await request.callback({ name }).then(request.settle, request.fail);
    else request.fail(named('AbortError'));
    if (held.get(name) !== request) return;
    held.delete(name);
    const next = queues.get(name)?.shift();
    if (next) void grant(name, next);
  };
  const request = (
    name: string,
    { signal, ifAvailable }: { signal?: AbortSignal; ifAvailable?: boolean },
    callback: Granted,
  ): Promise<unknown> =>
    new Promise((settle, fail) => {
      if (refusal) return fail(refusal);
      const mine = { signal, callback, settle, fail };
      if (!held.has(name)) return void grant(name, mine);
      if (ifAvailable) return void callback(null).then(settle, fail);
      const queue = queues.get(name) ?? [];
      queues.set(name, [...queue, mine]);
      signal?.addEventListener('abort', () => {
        const waiting = queues.get(name) ?? [];
        if (!waiting.includes(mine)) return;
        queues.set(
          name,
          waiting.filter((other) => other !== mine),
        );
        fail(named('AbortError'));
      });
    });
  return {
    held,
    locks: {
      request,
      query: async () =>
        refusal ? Promise.reject(refusal) : { held: [...held.keys()].map((name) => ({ name })), pending: [] },
    } as unknown as LockManager,
    refuse(error: Error | undefined) {
      refusal = error;
    },
    steal(name: string) {
      held.get(name)?.fail(named('AbortError'));
      held.delete(name);
    },
  };
}

/** An origin, and pages of it. */
function origin() {
  const { locks, held, refuse, steal } = lockManager();
  const open = (name: string): Tabs => createTabs(name, locks);
  return { open, held, refuse, steal, locks };
}

const idle = async (): Promise<void> => {};
const lives = async (tabs: Tabs, name: string): Promise<boolean | undefined> =>
  (await tabs.living?.())?.has(name);

test('locks: a page lives from hold to release, and may hold again in the same task', async () => {
  const { open } = origin();
  const [a, b] = [open('a'), open('b')];
  assert.equal(await lives(b, 'a'), false);
  await a.hold();
  await a.hold();
  assert.equal(await lives(b, 'a'), true);
  a.release();
  const again = a.hold();
  await again;
  assert.equal(await lives(b, 'a'), true);
  a.close();
  await settle();
  assert.equal(await lives(b, 'a'), false);
});

test('locks: a page that lets go before its lock is granted never holds it', async () => {
  const { open, held, locks } = origin();
  const a = open('a');
  // Not yet granted, and free.
  const early = a.hold();
  a.release();
  await early;
  await settle();
  assert.equal(held.size, 0);
  // Queued behind a task.
  let end = (): void => {};
  const ran = locks.request('spandrel a', {}, () => new Promise<void>((resolve) => (end = resolve)));
  await settle();
  const queued = a.hold();
  a.release();
  await queued;
  end();
  await ran;
  await settle();
  assert.equal(held.size, 0);
});

test('locks: one that is lost can be held again', async () => {
  const { open, steal } = origin();
  const [a, b] = [open('a'), open('b')];
  await a.hold();
  steal('spandrel a');
  await settle();
  assert.equal(await lives(b, 'a'), false);
  await a.hold();
  assert.equal(await lives(b, 'a'), true);
});

test('locks: one task at a time in a lane; one that fails says so and frees it', async () => {
  const { open } = origin();
  const [a, b] = [open('a'), open('b')];
  let end = (): void => {};
  const ran = a.alone('lane', () => new Promise((resolve) => (end = resolve)));
  await settle();
  assert.equal(await b.alone('lane', idle), false);
  assert.equal(await a.alone('lane', idle), false);
  assert.equal(await b.alone('other', idle), true);
  end();
  assert.equal(await ran, true);
  await settle();
  await assert.rejects(
    b.alone('lane', () => Promise.reject(new Error('planted'))),
    /planted/,
  );
  assert.equal(await a.alone('lane', idle), true);
});

test('locks: where they are refused or missing, nobody can tell who lives, and tasks run', async () => {
  const { open, refuse } = origin();
  refuse(named('SecurityError'));
  const refused = open('a');
  for (const tabs of [refused, createTabs('b', undefined)]) {
    await tabs.hold();
    await tabs.hold();
    assert.equal(await tabs.living?.(), undefined);
    let ran = 0;
    assert.equal(await tabs.alone('lane', async () => void ran++), true);
    assert.equal(ran, 1);
    tabs.release();
    await tabs.hold();
    tabs.close();
  }
  // Let go before the refusal was known.
  const late = open('late');
  const known = late.hold();
  late.release();
  await known;
});

test('locks: any other failure is not known to be refusal, and hold can be tried again', async () => {
  const { open, refuse } = origin();
  const [a, b] = [open('a'), open('b')];
  refuse(named('InvalidStateError'));
  await a.hold();
  refuse(undefined);
  await a.hold();
  assert.equal(await lives(b, 'a'), true);
});
