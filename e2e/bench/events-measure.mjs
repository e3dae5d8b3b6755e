// What an event costs: operations told by two events each, beside the same spans by the SDK's tracer. In Node and in a page.
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { EventSpans } from '../../dist/events.js';

const COUNT = 2_000;

/** Both hand their spans to nobody: what comes after is the same for both. */
const nobody = () => ({ onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} });

/** `COUNT` operations with three attributes, and two more at the end; `depth` of them open at once. */
const WAYS = {
  'EventSpans, with ids': () => {
    const spans = new EventSpans({ processor: nobody(), service: 'bench' });
    return {
      start: (id) => void spans.handle('work.started', { id, kind: 'index', size: 3.5 }),
      end: (id) => void spans.handle('work.completed', { id, found: true }),
      note: () => void spans.handle('row', { at: 7 }),
    };
  },
  'EventSpans, by the stack': () => {
    const spans = new EventSpans({ processor: nobody(), service: 'bench' });
    return {
      start: (index) => void spans.handle('work.started', { index, kind: 'index', size: 3.5 }),
      end: (index) => void spans.handle('work.completed', { index, found: true }),
      note: () => void spans.handle('row', { at: 7 }),
    };
  },
  'the SDK’s tracer': () => {
    const tracer = new BasicTracerProvider({ spanProcessors: [nobody()] }).getTracer('bench');
    const root = tracer.startSpan('root', {}, ROOT_CONTEXT);
    const stack = [{ span: root, context: trace.setSpan(ROOT_CONTEXT, root) }];
    return {
      start(id) {
        const parent = stack.at(-1).context;
        const span = tracer.startSpan('work', { attributes: { id, kind: 'index', size: 3.5 } }, parent);
        stack.push({ span, context: trace.setSpan(parent, span) });
      },
      end(id) {
        const { span } = stack.pop();
        span.setAttributes({ id, found: true }).setStatus({ code: 1 });
        span.end();
      },
      note: () => void stack.at(-1).span.addEvent('row', { at: 7 }),
    };
  },
};

/** Median events per second of each way, in turns, and how many of ours take as long as one of the SDK's. */
export function measureEvents(rounds) {
  const samples = Object.fromEntries(
    Object.keys(WAYS).map((name) => [name, { pairs: [], nested: [], notes: [] }]),
  );
  for (let round = 0; round < rounds + 5; round++) {
    for (const [name, make] of Object.entries(WAYS)) {
      const timed = (task) => {
        const way = make();
        const from = performance.now();
        const events = task(way);
        return events / ((performance.now() - from) / 1_000);
      };
      const pairs = timed((way) => {
        for (let index = 0; index < COUNT; index++) {
          way.start(index);
          way.end(index);
        }
        return COUNT * 2;
      });
      const nested = timed((way) => {
        for (let index = 0; index < COUNT; index += 10) {
          for (let depth = 0; depth < 10; depth++) way.start(index + depth);
          for (let depth = 9; depth >= 0; depth--) way.end(index + depth);
        }
        return COUNT * 2;
      });
      const notes = timed((way) => {
        for (let index = 0; index < COUNT; index += 100) {
          way.start(index);
          for (let row = 0; row < 98; row++) way.note();
          way.end(index);
        }
        return COUNT;
      });
      if (round < 5) continue;
      samples[name].pairs.push(pairs);
      samples[name].nested.push(nested);
      samples[name].notes.push(notes);
    }
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const rows = Object.entries(samples).map(([name, { pairs, nested, notes }]) => ({
    'by way of': name,
    'thousand events/s: begin, end': median(pairs) / 1_000,
    'ten deep': median(nested) / 1_000,
    'span events': median(notes) / 1_000,
  }));
  const theirs = rows.at(-1);
  const ratios = rows.slice(0, -1).map((row) => ({
    ...Object.fromEntries(
      Object.keys(row).map((key) => [key, typeof row[key] === 'number' ? row[key] / theirs[key] : row[key]]),
    ),
    'by way of': `ratio, ${row['by way of']} to the SDK`,
  }));
  return [...rows, ...ratios];
}
