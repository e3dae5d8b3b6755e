import { otherOf } from '../diagnostics/other.js';
import { refuse } from '../options.js';
import type { Judge, LocalTrace } from '../pipeline/local-trace.js';
import type {
  createPipeline,
  FlushResult,
  Pipeline,
  PipelineDeps,
  PipelineOptions,
} from '../pipeline/pipeline.js';
import type { TraceBuffer } from '../pipeline/trace-buffer.js';
import type { KeepaliveBudget, Platform } from '../platform/platform.js';
import type { Destination } from './destination.js';

/** Several destinations: what opens it makes a pipeline of each. */
export interface Tee extends Destination {
  /** At least two; none has branches of its own. */
  readonly branches: readonly Destination[];
  /** In place of the pipeline's own, which it is given to make one for each branch: they look like one from outside. */
  createPipeline(deps: PipelineDeps, options: PipelineOptions, create: typeof createPipeline): Pipeline;
}

/**
 * Several destinations at once. Each gets every span, in objects of its own, with an outbox, retries and an outcome of
 * its own: one that fails or is slow never stops another. `stats()` tells of the first, `stats().others` of each further
 * one.
 *
 * A kill switch stops its own destination; sampling rules are those of the first that gives any. A page that leaves
 * divides what it may still send. What an earlier page left is found by the ids of the destinations, whatever else
 * stands beside them now.
 *
 * @throws {TypeError} when one is no destination, there are fewer than two, or two have the same id.
 * @example
 * tee(bucket({ endpoint: '/spandrel' }), otlp({ url: 'https://collector.example' }))
 */
export function tee(...destinations: [Destination, Destination, ...Destination[]]): Tee {
  const branches = destinations.flatMap((one: Partial<Tee> | undefined) => {
    if (typeof one?.open !== 'function') refuse('tee', one, 'destinations such as bucket({ endpoint })');
    return one.branches ?? [one as Destination];
  });
  if (branches.length < 2) refuse('tee', destinations, 'two destinations or more');
  const ids = branches.map(({ id }) => id ?? '');
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) refuse('tee', twice, 'destinations with different ids');
  return {
    id: ids.join(' + '),
    branches,
    isNowhere: branches.some((one) => one.isNowhere),
    open() {
      throw new TypeError('spandrel: a tee is opened branch by branch');
    },
    createPipeline: (deps, options, create) => pipelinesOf(branches, deps, options, create),
  };
}

const RESULTS: readonly FlushResult[] = ['lost', 'waiting', 'stored'];
const worst = (results: FlushResult[]): FlushResult =>
  RESULTS.find((result) => results.includes(result)) ?? 'stored';

function pipelinesOf(
  branches: readonly Destination[],
  deps: PipelineDeps,
  options: PipelineOptions,
  create: typeof createPipeline,
): Pipeline {
  const { diagnostics } = deps;
  let count = branches.length;
  const worlds = worldsOf(deps.platform, count, () => count);
  let ruler: number | undefined;
  const pipelines = branches.flatMap((destination, at) => {
    const own = at ? otherOf(diagnostics, deps.platform) : diagnostics;
    const made = own.guard(() =>
      create(
        {
          ...deps,
          destination,
          platform: worlds[at] as Platform,
          diagnostics: own,
          rules(rules) {
            ruler ??= at;
            if (ruler === at) deps.rules(rules);
          },
        },
        options,
      ),
    );
    if (!made) count--;
    return made ?? [];
  });
  const buffer = bufferOf(pipelines.map((one) => one.buffer));
  return {
    ...{ buffer, options },
    async take(spans) {
      const taken = await Promise.all(pipelines.map((one) => one.take(spans)));
      return taken.every(Boolean);
    },
    started(span) {
      for (const one of pipelines) one.started(span);
    },
    ended(span) {
      for (const one of pipelines) one.ended(span);
    },
    discard(span) {
      for (const one of pipelines) one.discard(span);
    },
    setConsent(said) {
      for (const one of pipelines) one.setConsent(said);
    },
    ask() {
      for (const one of pipelines) one.ask();
    },
    flush: async (millis) => worst(await Promise.all(pipelines.map((one) => one.flush(millis)))),
    shutdown: async (millis) => worst(await Promise.all(pipelines.map((one) => one.shutdown(millis)))),
  };
}

/** The same world for each of several pipelines: they divide what may outlive the page, and delete what is kept once. */
function worldsOf(platform: Platform, most: number, count: () => number): Platform[] {
  const used: number[] = Array.from({ length: most }, () => 0);
  /** Who has nothing open any more, and waits for the rest. */
  let ended = new Map<number, (purged: Promise<void>) => void>();
  const purge = (at: number): Promise<void> =>
    new Promise((resolve) => {
      ended.set(at, resolve);
      if (ended.size < count()) return;
      const purged = platform.purge();
      for (const tell of ended.values()) tell(purged);
      ended = new Map();
    });
  return used.map((_, at) => {
    const freeBytes = (): number => {
      const all = used.reduce((sum, bytes) => sum + bytes, platform.keepalive.freeBytes);
      return Math.max(0, Math.min(platform.keepalive.freeBytes, all / count() - (used[at] as number)));
    };
    const keepalive: KeepaliveBudget = {
      get freeBytes() {
        return freeBytes();
      },
      reserve(bytes) {
        const release = bytes <= freeBytes() ? platform.keepalive.reserve(bytes) : undefined;
        if (!release) return undefined;
        used[at] = (used[at] as number) + bytes;
        let isOut = true;
        return () => {
          release();
          if (isOut) used[at] = (used[at] as number) - bytes;
          isOut = false;
        };
      },
    };
    return Object.create(platform, {
      keepalive: { value: keepalive },
      purge: { value: () => purge(at) },
    }) as Platform;
  });
}

/** As many verdicts are remembered, for buffers that come to them later. */
const MAX_VERDICTS = 10_000;

/** The first of the buffers, whose judge decides for all of them. */
function bufferOf([first, ...others]: TraceBuffer[]): TraceBuffer {
  if (!first) throw new TypeError('spandrel: no destination could be opened');
  /** By trace id, oldest first: what was decided, or the first buffer's trace that is not decided yet. */
  const known = new Map<string, LocalTrace | boolean>();
  const note = (traceId: string, verdict: LocalTrace | boolean): void => {
    known.set(traceId, verdict);
    const [oldest] = known.keys();
    if (known.size > MAX_VERDICTS && oldest !== undefined) known.delete(oldest);
  };
  const judgeAll = (judge: Judge): void => {
    const decide = (trace: LocalTrace, isOver: boolean): boolean | undefined => {
      const before = known.get(trace.traceId);
      if (typeof before === 'boolean') return before;
      const verdict = judge.decide(trace, isOver);
      note(trace.traceId, verdict ?? (isOver ? false : trace));
      return verdict;
    };
    first.judge = {
      decide,
      ended: judge.ended,
      crowdedOut(trace) {
        note(trace.traceId, false);
        judge.crowdedOut(trace);
      },
    };
    for (const other of others) {
      other.judge = {
        decide({ traceId }, isOver) {
          const before = known.get(traceId);
          if (typeof before === 'object' && isOver) return decide(before, true);
          return typeof before === 'boolean' ? before : undefined;
        },
        ended() {},
        crowdedOut() {},
      };
    }
  };
  return Object.create(first, {
    judge: { get: () => first.judge, set: (judge: Judge) => judgeAll(judge) },
    keep: {
      value: (traceId: string, told: (trace: LocalTrace) => void) => {
        const isKept = first.keep(traceId, told);
        if (isKept) note(traceId, true);
        for (const other of others) if (isKept) other.keep(traceId, () => {});
        return isKept;
      },
    },
  }) as TraceBuffer;
}
