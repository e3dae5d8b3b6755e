import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignColours } from './colours.mjs';
import { span } from './testing/page-trace.mjs';

const of = (serviceName, scope) =>
  span({ resource: { serviceName, attributes: [] }, scope: { name: scope } });

test('colours: where several services meet, each has one, whichever comes first', () => {
  const [page, step, server] = [of('shop', 'spandrel'), of('shop', 'own'), of('api', 'spandrel')];
  for (const spans of [
    [page, step, server],
    [server, page, step],
  ]) {
    const { hueOf, legend, byService } = assignColours(spans);
    assert.equal(byService, true);
    assert.deepEqual([page, step, server].map(hueOf), [1, 1, 0]);
    assert.deepEqual(legend, [
      ['api', 0],
      ['shop', 1],
    ]);
  }
});

test('colours: within one service, each scope has one', () => {
  const [page, step] = [of('shop', '@opentelemetry/instrumentation-fetch'), of('shop', '')];
  const { hueOf, legend, byService } = assignColours([page, step]);
  assert.equal(byService, false);
  assert.deepEqual([page, step].map(hueOf), [0, 1]);
  assert.deepEqual(legend, [
    ['fetch', 0],
    ['(no scope)', 1],
  ]);
});

test('colours: the seventh source shares the first hue, and the legend ends before it', () => {
  const spans = Array.from({ length: 8 }, (_, index) => of(`service ${index}`, ''));
  const { hueOf, legend } = assignColours(spans);
  assert.deepEqual(spans.map(hueOf), [0, 1, 2, 3, 4, 5, 0, 1]);
  assert.equal(legend.length, 6);
});
