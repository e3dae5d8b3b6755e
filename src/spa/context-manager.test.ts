import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { type Context, type ContextManager, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Activity } from './activity.js';
import { createContextManager } from './context-manager.js';

const KEY = createContextKey('name');
const contextOf = (name: string): Context => ROOT_CONTEXT.setValue(KEY, name);
const nameOf = (manager: ContextManager): unknown => manager.active().getValue(KEY);

/** A page whose current activity can be set. */
function createPage(scope: object = {}) {
  let current: Activity | undefined;
  const manager = createContextManager(() => ({ current }), scope as never);
  return {
    manager,
    setCurrent: (name: string | undefined) => {
      current = name ? ({ context: contextOf(name) } as Activity) : undefined;
    },
  };
}

/** zone.js in a realm of its own, as it patches all that it finds. */
function zoneRealm(): { Zone: unknown; setTimeout: typeof setTimeout; Promise: typeof Promise } {
  const file = createRequire(import.meta.url).resolve('zone.js');
  const realm: Record<string, unknown> = { setTimeout, clearTimeout, setInterval, clearInterval };
  realm['globalThis'] = realm['self'] = realm['window'] = realm;
  realm['addEventListener'] = realm['removeEventListener'] = () => {};
  runInNewContext(`${readFileSync(file, 'utf8')}; globalThis.Promise = Promise;`, realm);
  return realm as never;
}

/** What the proposal says of `AsyncContext.Variable`. */
const AsyncContext = {
  Variable: class {
    readonly #storage = new AsyncLocalStorage<unknown>();
    get(): unknown {
      return this.#storage.getStore();
    }
    run<R>(value: unknown, task: () => R): R {
      return this.#storage.run(value, task);
    }
  },
};

const PLATFORMS: [string, () => object][] = [
  ['nothing', () => ({})],
  ['zone.js', zoneRealm],
  ['AsyncContext', () => ({ AsyncContext })],
];
for (const [name, scope] of PLATFORMS) {
  test(`context manager with ${name}: a context lasts as long as the call, however it ends`, () => {
    const { manager, setCurrent } = createPage(scope());
    assert.equal(manager.active(), ROOT_CONTEXT);
    setCurrent('activity');
    assert.equal(nameOf(manager), 'activity');
    const seen = manager.with(
      contextOf('outer'),
      function (this: string, ...args: unknown[]) {
        const inner = (): unknown => manager.with(contextOf('inner'), () => nameOf(manager));
        return [this, args, nameOf(manager), inner(), nameOf(manager)];
      },
      'this',
      ...['a', 'b'],
    );
    assert.deepEqual(seen, ['this', ['a', 'b'], 'outer', 'inner', 'outer']);
    const planted = new Error('planted');
    const thrower = (): never => {
      throw planted;
    };
    assert.throws(
      () => manager.with(contextOf('outer'), thrower),
      (error) => error === planted,
    );
    assert.equal(nameOf(manager), 'activity');
    // Somebody who wants no parent gets none.
    assert.equal(
      manager.with(ROOT_CONTEXT, () => manager.active()),
      ROOT_CONTEXT,
    );
    setCurrent(undefined);
    assert.equal(manager.active(), ROOT_CONTEXT);
  });

  test(`context manager with ${name}: a bound function keeps its context, this, arguments and length`, () => {
    const { manager } = createPage(scope());
    const bound = manager.bind(contextOf('bound'), function (this: unknown, a: number, b: number) {
      return [this, a + b, nameOf(manager)];
    });
    assert.equal(bound.length, 2);
    const owner = { bound };
    assert.deepEqual(owner.bound(1, 2), [owner, 3, 'bound']);
    assert.equal(nameOf(manager), undefined);
    assert.equal(manager.bind(ROOT_CONTEXT, 7), 7);
    assert.equal(manager.enable().disable(), manager);
  });
}

test('context manager without help: what starts after an await belongs to the activity', async () => {
  const { manager, setCurrent } = createPage();
  setCurrent('first');
  const seen = await manager.with(contextOf('span'), async () => {
    const before = nameOf(manager);
    await null;
    setCurrent('second');
    return [before, nameOf(manager)];
  });
  assert.deepEqual(seen, ['span', 'second']);
});

test('context manager with AsyncContext: a context survives await and timers, beside another', async () => {
  const { manager, setCurrent } = createPage({ AsyncContext });
  setCurrent('activity');
  const task = async (): Promise<unknown[]> => {
    await null;
    const before = nameOf(manager);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return [before, nameOf(manager)];
  };
  const both = [manager.with(contextOf('a'), task), manager.with(contextOf('b'), task)];
  assert.equal(nameOf(manager), 'activity');
  assert.deepEqual(await Promise.all(both), [
    ['a', 'a'],
    ['b', 'b'],
  ]);
});

test('context manager with zone.js: a context survives promises and timers, beside another', async () => {
  const realm = zoneRealm();
  const { manager, setCurrent } = createPage(realm);
  setCurrent('activity');
  const task = (): Promise<unknown[]> =>
    new realm.Promise<void>((resolve) => {
      realm.setTimeout(resolve, 1);
    })
      .then(() => nameOf(manager))
      .then((before) => [before, nameOf(manager)]);
  const both = [manager.with(contextOf('a'), task), manager.with(contextOf('b'), task)];
  assert.equal(nameOf(manager), 'activity');
  assert.deepEqual(await Promise.all(both), [
    ['a', 'a'],
    ['b', 'b'],
  ]);
});

test('context manager: zone.js that comes later is used from then on', async () => {
  const scope: { Zone?: unknown } = {};
  const { manager } = createPage(scope);
  const realm = zoneRealm();
  const task = (): Promise<unknown> => realm.Promise.resolve().then(() => nameOf(manager));
  assert.equal(await manager.with(contextOf('a'), task), undefined);
  scope.Zone = realm.Zone;
  assert.equal(await manager.with(contextOf('a'), task), 'a');
});
