import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ingestHarness } from '../testing/ingest-harness.js';
import { DeadlineError, within } from './deadline.js';

const never = () => new Promise<never>(() => {});
const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));

test('deadline: what is in time is handed on, and what is not is told by name', async () => {
  assert.equal(await within(1_000, 'x', async () => 7), 7);
  assert.equal(await within(1_000, 'x', () => 7), 7);
  await assert.rejects(
    within(1_000, 'x', () => Promise.reject(new Error('own'))),
    /own/,
  );
  await assert.rejects(
    within(5, 'onStored', never),
    (error) => error instanceof DeadlineError && error.message === 'onStored took over 5 ms',
  );
});

test('deadline: no hook holds up an answer for ever', async () => {
  const { exchange, errors } = ingestHarness({
    hookTimeoutMillis: 20,
    config: never,
    onPage: never,
    onLost: never,
    onLog: never,
    onError: never,
  });
  assert.equal((await exchange({ lost: { paused: 1 } })).status, 200);
  assert.deepEqual(errors, [], 'onError is one of ours here');
});

test('deadline: whoever hangs is told of', async () => {
  const hooks = { onPage: never, onLost: never, config: never };
  const { exchange, errors } = ingestHarness({ hookTimeoutMillis: 20, ...hooks });
  await exchange({
    lost: { paused: 1 },
    page: {
      id: '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f',
      ...{ sealed: 0, created: 0, adopted: 0, stored: 0, waiting: 0, dropped: 0, handedOver: 0 },
    },
  });
  assert.deepEqual(
    errors.map((error) => (error as Error).message.split(' ')[0]).sort(),
    Object.keys(hooks).sort(),
  );
});

test('deadline: a limiter that hangs lets nobody pass, and waits for nobody', async () => {
  const { exchange, errors, storage } = ingestHarness({ hookTimeoutMillis: 20, rateLimit: never });
  assert.equal((await exchange({ want: 1 })).body.error.code, 'internal');
  assert.match(String(errors[0]), /rateLimit took over 20 ms/);
  assert.deepEqual(storage.calls, []);
});

test('deadline: a store that hangs has failed', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { storage, exchange, send, issue } = ingestHarness();
  const { token } = await issue();
  Object.assign(storage, { presign: never, put: never, head: never });
  let answered = 0;
  const answers = [
    exchange({ want: 1 }),
    send({ query: `?relay=${token}`, body: BYTES }),
    exchange({ confirm: [token] }),
  ].map(async (answer) => {
    const { status, body } = await answer;
    answered += 1;
    return [status, body.error?.code, body.confirmed];
  });
  // Each step of a request is some turns of the loop away; the clock is ours.
  while (answered < answers.length) {
    await new Promise(setImmediate);
    context.mock.timers.tick(1_000);
  }
  assert.deepEqual(await Promise.all(answers), [
    [502, 'storage_failed', undefined],
    [502, 'storage_failed', undefined],
    [200, undefined, []],
  ]);
});
