import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ingestHarness, ORIGIN } from '../testing/ingest-harness.js';
import { durableObjectQuota } from './durable-object-quota.js';
import { workersRateLimit } from './workers-rate-limit.js';

function limiter(success: boolean) {
  const keys: string[] = [];
  const limit = async ({ key }: { key: string }) => {
    keys.push(key);
    return { success };
  };
  return { keys, binding: { limit } };
}

const PAGE = '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f';
const page = {
  id: PAGE,
  ...{ sealed: 0, created: 0, adopted: 0, stored: 0, waiting: 0, dropped: 0, handedOver: 0 },
};

test('workers rate limit: counts by project and address, or page, or as the operator says', async () => {
  const { keys, binding } = limiter(true);
  const { exchange } = ingestHarness({ rateLimit: workersRateLimit(binding) });
  const address = { 'cf-connecting-ip': '192.0.2.1' };
  await exchange({ want: 1, page }, address);
  await exchange({ want: 1, page });
  await exchange({ want: 1 });
  assert.deepEqual(keys.splice(0), ['default 192.0.2.1', `default ${PAGE}`, 'default ']);
  const own = ingestHarness({
    rateLimit: workersRateLimit(binding, {
      key: (request, { kind }) => `${kind} ${request.headers.get('origin')}`,
    }),
  });
  await own.exchange({ want: 1 });
  assert.deepEqual(keys, [`exchange ${ORIGIN}`]);
});

test('workers rate limit: a refusal says to come again after the period', async () => {
  const refused = async (periodSeconds?: 10 | 60) => {
    const options = periodSeconds === undefined ? {} : { periodSeconds };
    const { exchange, storage } = ingestHarness({
      rateLimit: workersRateLimit(limiter(false).binding, options),
    });
    const { status, headers } = await exchange({ want: 1 });
    assert.deepEqual(storage.calls, []);
    return [status, headers.get('retry-after')];
  };
  assert.deepEqual(await refused(), [429, '60']);
  assert.deepEqual(await refused(10), [429, '10']);
});

test('workers rate limit, durable object quota: what is no binding is refused at the start', () => {
  for (const binding of [undefined, {}, 'LIMITER', { limit: 5 }]) {
    assert.throws(() => workersRateLimit(binding as never), /option "binding" got .*; it takes a binding/);
  }
  const { binding } = limiter(true);
  assert.throws(
    () => workersRateLimit(binding, { periodSeconds: 30 as never }),
    /option "periodSeconds" got 30/,
  );
  assert.throws(() => workersRateLimit(binding, { key: 'ip' as never }), /option "key" got "ip"/);
  for (const namespace of [undefined, {}, { idFromName: 1 }]) {
    assert.throws(
      () => durableObjectQuota(namespace as never),
      /option "namespace" got .*; it takes a binding/,
    );
  }
});

test('durable object quota: an object that fails is a failed quota', async () => {
  const namespace = {
    idFromName: (name: string) => name,
    get: () => ({ fetch: async () => new Response('overloaded', { status: 503 }) }),
  };
  const { exchange, errors } = ingestHarness({
    quota: { store: durableObjectQuota(namespace), perProject: { objects: 1 } },
  });
  assert.equal((await exchange({ want: 1 })).status, 429);
  assert.match(String(errors[0]), /answered 503/);
});
