import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countFailures, withoutEchoes } from './failures.mjs';
import { attributes, span } from './testing/page-trace.mjs';

const failed = { code: 'error', message: '' };
const thrown = (time, message = 'no', type = 'Error') => ({
  name: 'exception',
  time,
  attributes: attributes({ 'exception.type': type, 'exception.message': message }),
  droppedAttributes: 0,
});
const at = (start, given) => span({ start, end: start + 10n, ...given });
const below = (parent, start, given) => at(start, { parentSpanId: parent.spanId, ...given });

/** A click whose request is answered with 500 at the server, and rejects. */
function redeem(clock = 0n) {
  const click = at(100n, { name: 'click Redeem', status: failed, events: [thrown(150n, 'answered 500')] });
  const request = below(click, 110n, { name: 'GET', kind: 'client', status: failed });
  const server = below(request, clock + 120n, { name: 'GET /api/fail', kind: 'server', status: failed });
  return { click, request, server };
}

// Tried as well: the parts one by one, in each order; a server whose clock is wrong by years.
test('failures: a request that fails, at the server too, and rejects is one failure, whatever of it has come', () => {
  for (const clock of [0n, 10n ** 18n, -90n]) {
    const { click, request, server } = redeem(clock);
    for (const spans of [
      [click],
      [request],
      [server],
      [click, request],
      [click, server],
      [request, server],
      [click, request, server],
      [server, request, click],
    ]) {
      assert.equal(countFailures(spans), 1, spans.map(({ name }) => name).join(', '));
    }
  }
});

test('failures: what did not come of each other is counted by itself', () => {
  const { click, request, server } = redeem();
  const second = [below(click, 112n, { status: failed })];
  assert.equal(countFailures([click, request, server, ...second]), 2, 'two requests, one of them unheard');
  click.events.push(thrown(160n, 'answered 500'));
  assert.equal(countFailures([click, request, server, ...second]), 2, 'each with its rejection');
  click.events.push(thrown(170n, "reading 'street'", 'TypeError'));
  assert.equal(countFailures([click, request, server, ...second]), 3, 'and an error of its own');
  const early = redeem();
  early.click.events.unshift(thrown(105n, "reading 'street'", 'TypeError'));
  assert.equal(countFailures(Object.values(early)), 2, 'an error before the request began');
  assert.equal(countFailures([at(1n, { events: [thrown(2n), thrown(3n)] })]), 2, 'one error, twice');
});

test('failures: an exception counts without a status, and a status without an exception', () => {
  assert.equal(countFailures([at(1n, {})]), 0);
  assert.equal(countFailures([at(1n, { status: { code: 'ok', message: '' } })]), 0);
  assert.equal(countFailures([at(1n, { status: failed })]), 1);
  assert.equal(countFailures([at(1n, { events: [thrown(undefined)] })]), 1);
  assert.equal(countFailures([]), 0);
});

test('failures: what was recorded where it was thrown, and where it ended up, is one, and told once', () => {
  const route = at(100n, { events: [thrown(140n)], status: failed });
  const step = below(route, 110n, { events: [thrown(130n)], status: failed });
  const request = below(step, 115n, { status: failed });
  assert.equal(countFailures([route, step, request]), 1);

  const told = [route, step].map(({ spanId }) => ({ type: 'Error', message: 'no', spanId }));
  assert.deepEqual(withoutEchoes(told, [route, step, request]), [told[1]]);
  const beside = [step, request].map(({ spanId }) => ({ type: 'Error', message: 'no', spanId }));
  beside[1].message = 'another';
  assert.deepEqual(withoutEchoes(beside, [route, step, request]), beside);
  const twice = [step, step].map(({ spanId }) => ({ type: 'Error', message: 'no', spanId }));
  assert.deepEqual(withoutEchoes(twice, [route, step]), twice);
});

test('failures: an error that came too late for a span of the page has one of its own, beside its cause', () => {
  const click = at(100n, {});
  const request = below(click, 110n, { status: failed });
  const late = below(click, 190n, { name: 'error Error', status: failed, events: [thrown(190n)], end: 190n });
  assert.equal(countFailures([click, request, late]), 1);
  assert.equal(countFailures([click, late]), 1);
  assert.equal(countFailures([late]), 1);
});

test('failures: circles and chains of a hostile trace end, and in time', () => {
  const a = at(1n, { status: failed });
  const b = below(a, 2n, { status: failed });
  a.parentSpanId = b.spanId;
  assert.equal(countFailures([a, b]), 1);
  const chain = [at(1n, { status: failed, events: [thrown(5n)] })];
  while (chain.length < 50_000) {
    const parent = chain.at(-1);
    chain.push(below(parent, 1n, { status: failed, events: [thrown(5n)] }));
  }
  assert.equal(countFailures(chain), 1);
  const wide = Array.from({ length: 49_000 }, () => below(chain[0], 1n, { status: failed }));
  assert.equal(countFailures([chain[0], ...wide]), 49_000);
});
