/** An overview of visits, as tests ask it. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { DuckDbApi } from '../cli/duckdb.js';
import { createOverview, type Overview, type OverviewOptions } from '../cli/view/overview/overview.js';
import type { ViewSource } from '../cli/view/source.js';
import { figuresOf } from './site-figures.js';
import { NOW, requestsOf, START, simulate, type Visit } from './site-visits.js';

/** The repository, from where tests are compiled to. */
const ROOT = new URL('../../../../', import.meta.url);
export const QUESTIONS = new URL('src/cli/view/questions/', ROOT).pathname;
// Not the compiled copy, which would keep its tools beside itself.
const { requireTool } = await import(new URL('e2e/support/tools.mjs', ROOT).href);
const api: DuckDbApi = requireTool('@duckdb/node-api');

// biome-ignore lint/suspicious/noExplicitAny: JSON that the test looks into.
export type Body = Record<string, any>;

/** A folder of objects by their keys. */
export function sourceOf(objects: Record<string, Uint8Array>): ViewSource {
  return {
    name: 'test',
    list: async () =>
      Object.entries(objects).map(([key, { length: size }]) => ({ key, size, uploadedAt: NOW })),
    get: async (key) => objects[key],
  };
}

const opened: Overview[] = [];
after(() => Promise.all(opened.map((overview) => overview.close())));

/** Asks, until all objects are read. */
export type Asks = (params?: string | [string, string][], what?: string) => Promise<Body>;

export function openOverview(
  objects: Record<string, Uint8Array>,
  options: Partial<OverviewOptions> = {},
): Asks {
  const overview = createOverview({
    ...{ source: sourceOf(objects), questions: QUESTIONS, now: () => NOW, loadDuckDb: async () => api },
    ...options,
  });
  opened.push(overview);
  const ask = async (params: string | [string, string][] = '', what = ''): Promise<Body> => {
    const given = new URLSearchParams(params);
    if (!given.has('from')) given.set('from', String(START));
    let answer = await overview.answer(what, given);
    for (; (answer.body as Body)['reading']?.left; ) answer = await overview.answer(what, given);
    return { status: answer.status, ...(answer.body as Body) };
  };
  return ask;
}

export const packed = (requests: object[]): Record<string, Uint8Array> =>
  Object.fromEntries(
    requests.map((request, index) => [`o-${index}.json.gz`, gzipSync(JSON.stringify(request))]),
  );

export const VISITS: Visit[] = simulate(300);
export const OBJECTS = packed(requestsOf(VISITS));

const near = (actual: number, expected: number, what: string): void =>
  assert.ok(
    Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, not ${expected}`,
  );

/** Compares what plain code says of the visits with what the overview answered. */
export function expectFigures(body: Body, visits: Visit[], by: keyof Visit = 'route'): void {
  const expected = figuresOf(visits, by);
  near(body['totals'].seen, expected.traces, 'traces seen');
  near(body['totals'].traces, expected.weight, 'traces before sampling');
  assert.equal(body['totals'].sessions, expected.sessions);
  assert.deepEqual(
    body['vitals'].map(({ name }: Body) => name),
    Object.keys(expected.vitals),
  );
  for (const vital of body['vitals'] as Body[]) {
    const told = expected.vitals[vital['name']];
    for (const key of ['count', 'p75', 'good', 'middling', 'poor'] as const)
      near(vital[key], told?.[key] ?? Number.NaN, `${vital['name']} ${key}`);
    assert.deepEqual(
      vital['bins'].map(Math.round),
      told?.bins.map(Math.round),
      `histogram of ${vital['name']}`,
    );
  }
  const sides = new Map(body['sides'].map((row: Body) => [`${row['side']} ${row['name']}`, row]));
  assert.equal(sides.size, Object.keys(expected.sides).length);
  for (const [key, told] of Object.entries(expected.sides)) {
    const row = sides.get(key) as Body;
    near(row['p75'], told.p75, `${key} p75`);
    near(row['good'], told.good, `${key} good`);
  }
  assert.deepEqual(
    body['errors'].map((row: Body) => [
      row['type'],
      row['message'],
      row['frame'],
      row['seen'],
      row['sessions'],
      row['users'],
      row['since'],
    ]),
    expected.errors,
  );
  const failing = body['requests'].failing.map((row: Body) => [
    row['method'],
    row['target'],
    Math.round(row['failed']),
  ]);
  assert.deepEqual(failing, expected.failing);
  for (const row of body['requests'].slow as Body[]) {
    const told = expected.slow[`${row['method']} ${row['target']}`];
    near(row['p75'], told?.p75 ?? Number.NaN, `${row['target']} p75`);
    near(row['p95'], told?.p95 ?? Number.NaN, `${row['target']} p95`);
  }
  for (const row of body['routes'] as Body[])
    near(row['p75'], expected.routes[`${row['kind']} ${row['route']}`] ?? Number.NaN, `${row['route']} p75`);
  const steps = (body['visits'] as Body[]).map((row) => [
    row['moment'],
    row['sessions'],
    row['traces'],
    row['errors'],
  ]);
  const told = expected.steps(body['from'], body['step']);
  assert.equal(steps.length, told.length);
  for (const [index, row] of steps.entries())
    for (const [at, value] of row.entries()) near(value, told[index]?.[at] ?? Number.NaN, `step ${index}`);
}
