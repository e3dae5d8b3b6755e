import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { type Context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { type AsyncStorage, findAsyncStorage } from './async-storage.js';
import { createContextManager } from './context-manager.js';

const never = () => new Promise<never>(() => {});

test('async storage: a global, else a built-in module, at once', () => {
  const found: unknown[] = [];
  findAsyncStorage((storage) => found.push(storage), { AsyncLocalStorage }, never);
  const getBuiltinModule = (name: string) =>
    name === 'node:async_hooks' ? { AsyncLocalStorage } : undefined;
  findAsyncStorage((storage) => found.push(storage), { process: { getBuiltinModule } }, never);
  assert.equal(found.length, 2);
  assert.ok(found.every((storage) => storage instanceof AsyncLocalStorage));
});

test('async storage: imported where there is neither, and what is missing is no trouble', async () => {
  const storage = await new Promise((resolve) => findAsyncStorage(resolve, {}));
  assert.ok(storage instanceof AsyncLocalStorage, 'the runtime’s own');
  let found = 0;
  const count = () => void found++;
  const broken = { getBuiltinModule: () => assert.fail('not allowed') };
  findAsyncStorage(count, { process: broken }, () => Promise.reject(new Error('No such module')));
  findAsyncStorage(count, {}, async () => ({}));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(found, 0);
});

const KEY = createContextKey('test');
const of = (value: string): Context => ROOT_CONTEXT.setValue(KEY, value);
const pause = () => new Promise((resolve) => setImmediate(resolve));

test('contexts: last as long as the call where there is nothing better', async () => {
  const manager = createContextManager();
  const active = () => manager.active().getValue(KEY);
  const late = manager.with(of('a'), async () => {
    assert.equal(active(), 'a');
    assert.throws(() =>
      manager.with(of('b'), () => {
        assert.equal(active(), 'b');
        throw new Error('thrown');
      }),
    );
    assert.equal(active(), 'a');
    await pause();
    return active();
  });
  assert.equal(active(), undefined);
  assert.equal(await late, undefined);
});

test('contexts: go through awaits with an AsyncLocalStorage, also one that is found later', async () => {
  const manager = createContextManager();
  const active = () => manager.active().getValue(KEY);
  const outer = manager.with(of('a'), () => {
    manager.use(new AsyncLocalStorage<Context>() as AsyncStorage<Context>);
    return active();
  });
  assert.equal(outer, undefined, 'begun in another storage');
  const inner = manager.with(of('b'), async () => {
    await pause();
    return active();
  });
  assert.equal(await inner, 'b');
  assert.equal(active(), undefined);
});

test('contexts: a function that is bound keeps its context, this and number of parameters', () => {
  const manager = createContextManager();
  const self = { name: 'self' };
  const bound = manager.bind(of('a'), function (this: unknown, one: string, _two: string) {
    return [this, one, manager.active().getValue(KEY)];
  });
  assert.deepEqual(bound.call(self, '1', '2'), [self, '1', 'a']);
  assert.equal(bound.length, 2);
  assert.equal(manager.bind(of('a'), self), self);
  assert.equal(
    manager.with(of('a'), (one: number) => one + 1, undefined, 1),
    2,
  );
});
