import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Json, keyOf, RECEIVED_AT, request, span } from '../testing/forward.js';
import { applyStamp, checkStamp, contextOf, stampOf } from './stamp.js';

const ID = keyOf(7).slice(-'.json.gz'.length - 36, -'.json.gz'.length);

test('stamp: the key tells project, environment, object and time; another key tells nothing', () => {
  const place = { project: 'shop', environment: 'production', signal: 'traces' };
  const expected = { ...place, id: ID, receivedAtMillis: RECEIVED_AT };
  assert.deepEqual(contextOf(keyOf(7)), { key: keyOf(7), ...expected });
  assert.deepEqual(contextOf('some/file.json.gz'), { key: 'some/file.json.gz' });
});

test('stamp: attributes are OTLP values, those of the user on top', async () => {
  const attributes = {
    tenant: 'a',
    count: 2,
    share: 0.5,
    on: true,
    'spandrel.ingest.project': 'other',
    many: ['x', 1],
  };
  assert.deepEqual(await stampOf({ attributes }, contextOf(keyOf(7))), [
    { key: 'spandrel.ingest.project', value: { stringValue: 'other' } },
    { key: 'spandrel.ingest.environment', value: { stringValue: 'production' } },
    { key: 'spandrel.ingest.object_id', value: { stringValue: ID } },
    { key: 'spandrel.ingest.received_at', value: { stringValue: '2026-11-21T03:04:05.678Z' } },
    { key: 'tenant', value: { stringValue: 'a' } },
    { key: 'count', value: { intValue: '2' } },
    { key: 'share', value: { doubleValue: 0.5 } },
    { key: 'on', value: { boolValue: true } },
    { key: 'many', value: { arrayValue: { values: [{ stringValue: 'x' }, { intValue: '1' }] } } },
  ]);
  assert.deepEqual(await stampOf(true, { key: 'odd' }), []);
  const given = await stampOf(async ({ key, project = '' }) => ({ key, project }), contextOf(keyOf(7)));
  assert.deepEqual(given.slice(-2), [
    { key: 'key', value: { stringValue: keyOf(7) } },
    { key: 'project', value: { stringValue: 'shop' } },
  ]);
});

test('stamp: each resource is stamped, and nobody else says what only the server may', async () => {
  const mine = ['spandrel.ingest.project', 'spandrel.ingest.new', 'tenant'].map((key) => ({
    key,
    value: { stringValue: 'forged' },
  }));
  const kept = { key: 'spandrel.activity.type', value: { stringValue: 'load' } };
  const attributes = [...mine, kept];
  const json: Json = request([span(0, 0, { attributes, events: [{ attributes }], links: [{ attributes }] })]);
  json.resourceSpans[0].resource.attributes = attributes;
  json.resourceSpans[0].scopeSpans[0].scope.attributes = attributes;
  json.resourceSpans.push({ scopeSpans: [] }, {});
  const stamp = await stampOf({ attributes: { tenant: 'a' } }, { key: 'k', project: 'shop' });
  applyStamp(json, stamp);
  assert.ok(!JSON.stringify(json).includes('forged'));
  const [first, ...others] = json.resourceSpans;
  assert.deepEqual(first.resource.attributes, [kept, ...stamp]);
  const [{ scope, spans }] = first.scopeSpans;
  for (const { attributes } of [scope, spans[0], spans[0].events[0], spans[0].links[0]]) {
    assert.deepEqual(attributes, [kept]);
  }
  for (const { resource } of others) assert.deepEqual(resource.attributes, stamp);
});

test('stamp: what is no stamp is refused', async () => {
  const nested = { attributes: { a: { b: 1 } } };
  for (const bad of [null, 'yes', {}, { attributes: 1 }, nested, { attributes: { a: Number.NaN } }]) {
    assert.throws(() => checkStamp(bad), { name: 'TypeError', message: /option "stamp" got/ });
  }
  await assert.rejects(
    stampOf(() => 7 as never, { key: 'k' }),
    TypeError,
  );
});
