/** The overview: what a folder or bucket says of a site, as figures. Answers the page's requests. */

import { DUCKDB, loadDuckDb } from '../../duckdb.js';
import type { ViewObject, ViewSource } from '../source.js';
import { type Database, openDatabase } from './database.js';
import { type OverviewQuery, QueryError, readQuery, readTracesQuery } from './overview-query.js';
import type { Answer, Ask } from './questions.js';
import { createReader, type Reader } from './reader.js';

export interface OverviewOptions {
  source: ViewSource;
  /** Folder of the SQL files. */
  questions: string;
  /** Default: the package beside us or in the working folder. */
  loadDuckDb?: typeof loadDuckDb;
  /** Spans that are read at most. Default 1,000,000. */
  maxSpans?: number;
  now?: () => number;
}

export interface OverviewAnswer {
  status: number;
  body: unknown;
}

export interface Overview {
  /**
   * `''` answers with all figures, `'/traces'` with those behind one, `'/trace'` with the objects that hold one.
   *
   * Rejects when the source cannot be listed.
   */
  answer(what: string, params: URLSearchParams): Promise<OverviewAnswer>;
  close(): Promise<void>;
}

/** Waiting answers; a page asks for one at a time. */
const MAX_WAITING = 16;
/** Of the steps of time at most so many. */
const MAX_STEPS = 60;
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const STEPS = [
  ...[1_000, 10_000, 30_000, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE],
  ...[HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY],
];

interface Engine {
  database: Database;
  reader: Reader;
}

export function createOverview(options: OverviewOptions): Overview {
  const { source, questions, now = Date.now } = options;
  const load = options.loadDuckDb ?? loadDuckDb;
  let opening: Promise<Engine | undefined> | undefined;
  let waiting = 0;

  const open = async (): Promise<Engine | undefined> => {
    const api = await load();
    if (!api) return undefined;
    const database = await openDatabase(api, questions);
    return { database, reader: createReader(source, database, options.maxSpans) };
  };
  const engine = async (): Promise<Engine | undefined> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    const opened = await opening;
    // It may be installed meanwhile.
    if (!opened) opening = undefined;
    return opened;
  };

  const figures = async ({ database, reader }: Engine, params: URLSearchParams): Promise<OverviewAnswer> => {
    const query = readQuery(params, now());
    const reading = await reader.catchUp();
    const body = await database.use((ask) => askAll(ask, query, now()));
    // How far back the source was listed, epoch milliseconds: older objects are in no figure.
    return { status: 200, body: { ...body, reading, since: source.sinceMillis ?? null } };
  };
  const traces = async ({ database, reader }: Engine, params: URLSearchParams): Promise<OverviewAnswer> => {
    const query = readTracesQuery(params, now());
    const reading = await reader.catchUp();
    const found = await database.use(async (ask) => {
      await ask('chosen', { ...query });
      return ask('traces', { ...query });
    });
    const named = found.map(({ trace, ...row }) => ({ ...row, id: reader.traceId(Number(trace)) }));
    return { status: 200, body: { traces: named, found: found[0]?.['found'] ?? 0, reading } };
  };
  const objects = async ({ database, reader }: Engine, params: URLSearchParams): Promise<OverviewAnswer> => {
    const id = (params.get('id') ?? '').toLowerCase();
    if (!/^[0-9a-f]{32}$/.test(id)) throw new QueryError('"id" takes the 32 hexadecimal digits of a trace');
    await reader.catchUp();
    const trace = reader.numberOf(id);
    const rows = trace === undefined ? [] : await database.use((ask) => ask('objects', { trace }));
    const held = rows.map(({ object }) => reader.object(Number(object)));
    return { status: 200, body: { objects: held.filter((object): object is ViewObject => !!object) } };
  };
  const ways: Record<string, typeof figures> = { '': figures, '/traces': traces, '/trace': objects };

  return {
    async answer(what, params) {
      const way = ways[what];
      if (!way) return { status: 404, body: { error: 'No such route.' } };
      if (waiting >= MAX_WAITING) return { status: 503, body: { error: 'Too many questions at once.' } };
      waiting += 1;
      try {
        const opened = await engine();
        if (!opened) return { status: 200, body: { missing: DUCKDB } };
        return await way(opened, params);
      } catch (error) {
        if (error instanceof QueryError) return { status: 400, body: { error: error.message } };
        throw error;
      } finally {
        waiting -= 1;
      }
    },
    async close() {
      const opened = await opening?.catch(() => undefined);
      opened?.reader.stop();
      await opened?.database.close();
    },
  };
}

/** All of the page's figures. */
async function askAll(ask: Ask, query: OverviewQuery, now: number): Promise<Record<string, unknown>> {
  const { from, until, by } = query;
  const step = STEPS.find((one) => (until - from) / one <= MAX_STEPS) ?? (until - from) / MAX_STEPS;
  await ask('chosen', { ...query });
  const [totals] = await ask('totals', { now: now + DAY });
  const slow = await ask('requests', { order: 'slow' });
  const failing = await ask('requests', { order: 'failing' });
  return {
    ...{ from, until, by, step, totals },
    visits: await ask('visits', { from, step }),
    vitals: withBins(await ask('vitals'), await ask('vital-histogram')),
    sides: await ask('vitals-by', { by }),
    errors: await ask('errors'),
    requests: { slow, failing },
    routes: await ask('routes'),
    values: await ask('sides'),
  };
}

/** Of each vital all 31 bins, those without a value too. */
function withBins(vitals: Answer, bins: Answer): unknown[] {
  return vitals.map((vital) => {
    const counts = Array<number>(31).fill(0);
    for (const { name, bin, count } of bins) if (name === vital['name']) counts[Number(bin)] = Number(count);
    return { ...vital, bins: counts, bin_width: Number(vital['good_upto']) / 10 };
  });
}
