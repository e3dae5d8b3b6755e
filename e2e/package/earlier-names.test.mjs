// Objects that 0.1.0 wrote lie in buckets for as long as their owners keep them: every reader of ours reads their names
// as it reads today's. The fixture is a visit as the script of 0.1.0 stored it, an object a line.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** By URL: tsc takes its own output for no source, and is less strict with the viewer's. @param {string} path */
const load = (path) => import(new URL(`../../${path}`, import.meta.url).href);
const { createSpanRows } = await load('.cache/unit/src/cli/compact/parquet-rows.js');
const { readFacts } = await load('.cache/unit/src/cli/view/overview/otlp-facts.js');
const { groupErrors, occurrencesOf } = await load('demo/viewer/error-groups.mjs');
const { readVital } = await load('demo/viewer/page-facts.mjs');
const { parseRequest } = await load('demo/viewer/parse-otlp.mjs');
const { gatherSessions } = await load('demo/viewer/sessions.mjs');
const { labelOf } = await load('demo/viewer/span-label.mjs');
const { createTraces } = await load('demo/viewer/traces.mjs');

/** @typedef {{ key: string, value: any }} KeyValue */

const old = readFileSync(new URL('fixtures/visit-0.1.0.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** What today's script says in place of an attribute. @param {KeyValue} attribute @param {any} span @returns {KeyValue} */
function renamed({ key, value }, { kind }) {
  if (key === 'url.full' && kind !== 3) return { key: 'browser.document.url.full', value };
  if (key === 'browser.web_vital.name')
    return { key, value: { stringValue: value.stringValue.toLowerCase() } };
  /** @type {Record<string, string>} */
  const names = {
    'browser.navigation.type': 'browser.navigation_timing.type',
    'browser.resource.initiator': 'browser.resource_timing.initiator_type',
    'exception.escaped': 'spandrel.exception.handled',
  };
  return { key: names[key] ?? key.replace('browser.web_vital.attribution', 'spandrel.web_vital'), value };
}

/** The same visit by today's names. */
const today = structuredClone(old);
for (const { resourceSpans } of today)
  for (const { scopeSpans } of resourceSpans)
    for (const { spans } of scopeSpans)
      for (const span of spans)
        for (const holder of [span, ...(span.events ?? [])])
          holder.attributes = holder.attributes?.map((/** @type {KeyValue} */ one) => renamed(one, span));

/** What the viewer shows of a visit. @param {any[]} requests */
function viewed(requests) {
  const traces = createTraces();
  requests.forEach((request, index) => {
    traces.add({ key: `key ${index}`, size: 1, uploadedAt: index }, parseRequest(request).traces);
  });
  /** @type {any[]} */
  const list = traces.list();
  /** @type {any[]} */
  const sessions = gatherSessions(list);
  /** @type {any[]} */
  const errors = groupErrors(occurrencesOf(list), () => undefined);
  return {
    traces: list.map(({ summary: { activity: _, ...summary } }) => summary),
    labels: list.flatMap(({ spans }) =>
      [...spans.values()].map((span) => labelOf(span, readVital(span), new Set(['resourceFetch', 'GET']))),
    ),
    sessions: sessions.map(({ traces: _, ...session }) => session),
    errors: errors.map(({ examples: _, ...group }) => group),
  };
}

test('earlier names: the viewer shows what 0.1.0 wrote as what is written today', () => {
  const told = viewed(old);
  assert.deepEqual(told, viewed(today));
  assert.deepEqual(
    told.traces.map(({ rootName, pageUrl }) => [rootName, pageUrl]),
    [
      ['route /product/:id', 'https://shop.example/product/8'],
      ['click button#act', 'https://shop.example/product/7?token=REDACTED'],
      ['load /product/:id', 'https://shop.example/product/7?token=REDACTED'],
    ],
  );
  const vitals = told.traces.flatMap((trace) =>
    trace.vitals.map((/** @type {{ name: string }} */ { name }) => name),
  );
  assert.deepEqual(vitals.sort(), ['CLS', 'FCP', 'INP', 'LCP', 'TTFB']);
  assert.equal(told.sessions.length, 1);
  assert.equal(told.errors.length, 1);
});

/** @param {any[]} requests @returns {any[]} */
function overviewed(requests) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const numberOfTrace = (/** @type {string} */ id) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return numbers.get(id);
  };
  return requests.map((request, object) => {
    const { attributes: _, ...facts } = readFacts(request, { object, uploadedAt: 0, numberOfTrace }).facts;
    return facts;
  });
}

test('earlier names: the overview counts what 0.1.0 wrote as what is written today', () => {
  const facts = overviewed(old);
  assert.deepEqual(facts, overviewed(today));
  const vitals = facts.flatMap((one) => one.vitals.map((/** @type {unknown[]} */ vital) => vital[2]));
  assert.deepEqual(vitals.sort(), ['CLS', 'FCP', 'INP', 'LCP', 'TTFB']);
});

/** @param {any[]} requests @returns {Record<string, unknown>[]} */
function rowsOf(requests) {
  const { of } = createSpanRows();
  return requests
    .flatMap((request) => of(request))
    .map((line) => {
      // What has no column is kept as it was written.
      const { span_attributes: _, events_json: __, ...columns } = JSON.parse(line);
      return columns;
    });
}

test('earlier names: Parquet has what 0.1.0 wrote in the columns of what is written today', () => {
  const rows = rowsOf(old);
  assert.deepEqual(rows, rowsOf(today));
  const load = rows.find(({ activity_type: type }) => type === 'load');
  assert.equal(load?.['page_url'], 'https://shop.example/product/7?token=REDACTED');
  assert.equal(load?.['url_full'], undefined);
  const vitals = rows.flatMap(({ web_vital_name: name }) => name ?? []);
  assert.deepEqual(vitals.sort(), ['cls', 'fcp', 'inp', 'lcp', 'ttfb']);
  const requests = rows.filter(({ url_full: url }) => url !== undefined);
  assert.ok(requests.length >= 4 && requests.every(({ kind }) => kind === 3));
});
