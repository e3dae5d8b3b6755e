import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Span, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { memoryStore, type StoredSpan, TestExecutionContext } from '../testing/edge.js';
import { instrument } from './instrument.js';

/** What a handler does, step by step: waits, works below the last span, begins another, goes back up, in parallel. */
type Step =
  | 'wait'
  | 'timer'
  | 'leaf'
  | { below: Step[] }
  | { both: [Step[], Step[]] }
  | { background: Step[] };

const steps = fc.letrec<{ steps: Step[] }>((tie) => {
  const more = tie('steps');
  const step = fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Step>('wait', 'timer', 'leaf'),
    fc.record({ below: more }),
    fc.record({ both: fc.tuple(more, more) }),
    fc.record({ background: more }),
  );
  return { steps: fc.array(step as fc.Arbitrary<Step>, { maxLength: 4 }) };
}).steps;

/** A span's name says whose child it is to be: the path from the request. */
async function walk(
  list: readonly Step[],
  path: string,
  wait: () => Promise<void>,
  ctx: TestExecutionContext,
) {
  const tracer = trace.getTracer('app');
  for (const [index, step] of list.entries()) {
    const name = `${path}/${index}`;
    if (step === 'wait') await wait();
    else if (step === 'timer') await new Promise((resolve) => setTimeout(resolve, 0));
    else if (step === 'leaf') tracer.startSpan(name).end();
    else if ('below' in step) {
      await tracer.startActiveSpan(name, async (span: Span) => {
        await walk(step.below, name, wait, ctx);
        span.end();
      });
    } else if ('both' in step) {
      await Promise.all(step.both.map((branch, at) => walk(branch, `${path}/${index}.${at}`, wait, ctx)));
    } else ctx.waitUntil(walk(step.background, `${path}/${index}b`, wait, ctx));
  }
}

/** The path without what is no span of its own: branches and background work. */
const parentOf = (name: string, names: ReadonlySet<string>): string => {
  const above = name.slice(0, name.lastIndexOf('/'));
  return names.has(above) || !above.includes('/') ? above : parentOf(above, names);
};

test('concurrent requests: spans never mix, and have the right parents', async () => {
  const store = memoryStore();
  const worker = instrument(
    {
      async fetch(
        request: Request,
        env: { wait(): Promise<void>; plans: Step[][] },
        ctx: TestExecutionContext,
      ) {
        const [, id = ''] = new URL(request.url).pathname.split('/');
        await walk(env.plans[Number(id)] ?? [], id, env.wait, ctx);
        return new Response(id);
      },
    },
    { service: 'shop', destination: store, routeOf: ({ url }) => new URL(url).pathname },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(steps, { minLength: 2, maxLength: 12 }),
      fc.scheduler(),
      async (plans, scheduler) => {
        store.objects.length = 0;
        const env = { plans, wait: () => scheduler.schedule(Promise.resolve()) as Promise<void> };
        const requests = plans.map(async (_, id) => {
          const ctx = new TestExecutionContext();
          const answer = await worker.fetch(new Request(`https://shop.example/${id}`), env, ctx);
          assert.equal(await answer.text(), String(id));
          await ctx.settled();
        });
        let isOver = false;
        const all = Promise.all(requests).then(() => {
          isOver = true;
        });
        while (!isOver) {
          if (scheduler.count()) await scheduler.waitOne();
          else await new Promise((resolve) => setImmediate(resolve));
        }
        await all;
        check(store.objects, plans.length);
      },
    ),
    { numRuns: 150 },
  );
});

function check(objects: readonly StoredSpan[][], count: number) {
  assert.equal(objects.length, count, 'an object for each request');
  assert.equal(new Set(objects.map(([span]) => span?.traceId)).size, count, 'a trace for each request');
  for (const spans of objects) {
    const server = spans.find(({ kind }) => kind === 2);
    const id = server?.name.replace('GET /', '');
    const byName = new Map(spans.map((span) => [span === server ? id : span.name, span]));
    assert.equal(byName.size, spans.length);
    const names = new Set(byName.keys()) as ReadonlySet<string>;
    for (const span of spans) {
      assert.equal(span.traceId, server?.traceId);
      assert.equal(span.attributes['spandrel.interrupted'], undefined);
      if (span === server) continue;
      assert.equal(span.name.split('/')[0], id, 'of this request');
      assert.equal(span.parentSpanId, byName.get(parentOf(span.name, names))?.spanId, span.name);
    }
  }
}
