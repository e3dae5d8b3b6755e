import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStorage } from '../testing/memory-storage.js';
import { buildMinified, stackOf } from '../testing/minified.js';
import { createMapCache } from './map-cache.js';
import { putMap } from './map-store.js';
import { rewriteStacks } from './rewrite-request.js';

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });

function requestOf(stack: string, release: string): object {
  const event = { name: 'exception', attributes: [text('exception.stacktrace', stack), text('other', 'x')] };
  return {
    resourceSpans: [
      {
        resource: { attributes: [text('service.version', release)] },
        scopeSpans: [{ spans: [{ spanId: '1', events: [event, { name: 'click' }] }] }],
      },
    ],
  };
}

test('rewrite: the stack is told in the words of the sources, once, and the browser’s is kept', async () => {
  const { code, map } = await buildMinified();
  const storage = memoryStorage();
  await putMap(storage, { project: 'shop', release: '1', path: 'app.js' }, new Uint8Array(Buffer.from(map)));
  const maps = createMapCache({ storage });
  const stack = stackOf(code, 'https://shop.example/app.js');
  const request = requestOf(stack, '1');
  assert.equal(await rewriteStacks(maps, request, 'shop'), 1);
  const said = JSON.stringify(request);
  assert.match(said, /at checkOut \(src\/check-out\.js:\d+/);
  assert.ok(said.includes(JSON.stringify(text('exception.stacktrace.original', stack)).slice(1, -1)));
  assert.equal(await rewriteStacks(maps, request, 'shop'), 0, 'a second time changes nothing');
  assert.equal(JSON.stringify(request), said);

  const done = JSON.stringify(requestOf(stack, '1')).replace('"other"', '"exception.stacktrace.original"');
  assert.equal(await rewriteStacks(maps, JSON.parse(done), 'shop'), 0, 'what another has resolved is left');

  const other = requestOf(stack, '2');
  const before = JSON.stringify(other);
  assert.equal(await rewriteStacks(maps, other, 'shop'), 0);
  assert.equal(JSON.stringify(other), before);
  for (const odd of [null, 7, {}, { resourceSpans: [null, { scopeSpans: [{ spans: [{ events: 7 }] }] }] }]) {
    assert.equal(await rewriteStacks(maps, odd, 'shop'), 0);
  }
});
