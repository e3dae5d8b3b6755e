import { isTraceKey } from '../forward/folder.js';
import { listChunks } from '../forward/listing.js';
import { type PatientStorage, patientStorage, type Wait, wait } from '../forward/patient-storage.js';
import type { StoredObject } from '../server/storage.js';
import type { BucketOptions } from './compact-options.js';
import { BUCKET_NAMES, type BucketSettings, checkBucketOptions } from './compact-settings.js';
import { createEraseList } from './erase-list.js';
import { eraseFrom } from './erase-object.js';
import { check } from './option-check.js';
import { readObjects } from './read-objects.js';
import { createWorkshop } from './replace.js';
import { createSpanTexts, type SpanText } from './span-text.js';

/** Options of `erase`: at least one of the first three. */
export interface EraseOptions extends BucketOptions {
  /** Values of `session.id`. */
  sessions?: readonly string[];
  /** Values of `user.id` or `enduser.id`. */
  users?: readonly string[];
  /** Trace ids, 32 hexadecimal digits each. */
  traces?: readonly string[];
  /** True says what would go, and changes nothing. Default false. */
  dryRun?: boolean;
}

/** What was erased. */
export interface EraseSummary {
  /** Objects looked at, in the last round. */
  listed: number;
  /** Objects that were written without what goes, and that went as a whole. */
  rewritten: number;
  deleted: number;
  /** Spans that went, and the traces that they were of. */
  spans: number;
  traces: number;
  /** Objects that cannot be read, so that it is not known what is in them. */
  unreadable: number;
  /** Objects that others work on: come again. */
  busy: number;
  /** `done`: nothing is left of it that can be read. */
  ended: 'done' | 'aborted' | 'store-failed' | 'incomplete';
  message?: string;
}

/** What others compact meanwhile is looked for again. */
const MAX_ROUNDS = 5;
const MAX_TRACES = 1_000_000;
const TRACE_ID = /^[0-9a-f]{32}$/i;

/**
 * Erases sessions, users or traces: every trace that has a span of them, out of every object below the prefix, raw or
 * compacted. Objects are written anew without them before the old ones are deleted, by `compact`'s leases and notes, so
 * that nothing else is lost or doubled.
 *
 * Objects in the quarantine, Parquet, and what a backend has been sent are not looked at.
 *
 * @returns what went. Never rejects for what the store does.
 * @throws {TypeError} naming the option, what it got and what it takes.
 */
export async function erase(options: EraseOptions): Promise<EraseSummary> {
  const { sessions, users, traces, dryRun = false, ...bucket } = checked(options);
  return runErase({ sessions, users, traces, dryRun }, checkBucketOptions(bucket), wait);
}

type Wanted = Required<Pick<EraseOptions, 'sessions' | 'users' | 'traces' | 'dryRun'>>;

function checked(options: EraseOptions): EraseOptions & Wanted {
  check.names('erase()', options, [...BUCKET_NAMES, 'sessions', 'users', 'traces', 'dryRun']);
  const lists = { sessions: [] as string[], users: [] as string[], traces: [] as string[] };
  for (const name of ['sessions', 'users', 'traces'] as const) {
    const given: unknown = options[name] ?? [];
    if (!Array.isArray(given) || !given.every((value) => typeof value === 'string' && value)) {
      return check.refuse(name, given, 'a list of values');
    }
    lists[name] = given;
  }
  const wrong = lists.traces.find((id) => !TRACE_ID.test(id));
  if (wrong !== undefined) check.refuse('traces', wrong, 'ids of 32 hexadecimal digits');
  if (lists.sessions.length + lists.users.length + lists.traces.length === 0) {
    check.refuse('sessions', [], 'at least one value, of sessions, users or traces');
  }
  const traces = lists.traces.map((id) => id.toLowerCase());
  return { ...options, ...lists, traces, dryRun: options.dryRun ?? false };
}

/** {@link erase}, with the world as a parameter. */
export async function runErase(
  { sessions, users, traces, dryRun }: Wanted,
  settings: BucketSettings,
  waitFor: Wait,
): Promise<EraseSummary> {
  const summary: EraseSummary = {
    ...{ listed: 0, rewritten: 0, deleted: 0, spans: 0, traces: 0, unreadable: 0, busy: 0, ended: 'done' },
  };
  const [ofSessions, ofUsers, ofTraces] = [new Set(sessions), new Set(users), new Set(traces)];
  const gone = new Set<string>();
  const isOne = ({ sessionId, userId, traceId }: SpanText): boolean =>
    ofTraces.has(traceId) || ofSessions.has(sessionId ?? '') || ofUsers.has(userId ?? '');
  try {
    const storage = patientStorage(settings.storage, settings.signal, waitFor);
    const workshop = createWorkshop(storage, settings);
    const list = await createEraseList(storage, settings, [sessions, users, traces]);
    for (const id of await list.read()) ofTraces.add(id);
    for (let round = 1; ; round += 1) {
      // Other spans of a trace do not all say whose they are.
      if (sessions.length + users.length > 0) {
        for await (const { spans } of spansIn(storage, settings)) {
          for (const span of spans) if (isOne(span)) ofTraces.add(span.traceId);
        }
        if (ofTraces.size > MAX_TRACES)
          throw new Error(`more than ${MAX_TRACES} traces; erase less at a time`);
        if (!dryRun) await list.write(ofTraces);
      }
      const before = summary.spans;
      Object.assign(summary, { listed: 0, unreadable: 0, busy: 0 });
      let isMoved = false;
      for await (const { object, spans } of spansIn(storage, settings, summary)) {
        const going = spans.filter(isOne);
        if (going.length === 0) continue;
        for (const { traceId } of going) gone.add(traceId);
        const staying = spans.filter((span) => !isOne(span));
        const outcome = dryRun ? 'planned' : await eraseFrom({ object, staying }, workshop, settings);
        if (outcome === 'moved') isMoved = true;
        else if (outcome === 'busy') summary.busy += 1;
        else {
          summary.spans += going.length;
          if (outcome !== 'planned') summary[outcome] += 1;
        }
      }
      summary.traces = gone.size;
      if (dryRun) break;
      if (summary.busy === 0 && !isMoved && summary.spans === before) {
        await list.remove();
        break;
      }
      if (round >= MAX_ROUNDS || summary.busy > 0) {
        summary.ended = 'incomplete';
        break;
      }
    }
  } catch (error) {
    summary.ended = settings.signal?.aborted ? 'aborted' : 'store-failed';
    summary.message = (error as Error | undefined)?.message ?? 'the store failed';
  }
  return summary;
}

/** Every object that can be read, and its spans; counted in `summary`. @throws {StorageError} */
async function* spansIn(
  storage: PatientStorage,
  settings: BucketSettings,
  summary?: EraseSummary,
): AsyncGenerator<{ object: StoredObject; spans: SpanText[] }> {
  for await (const { objects } of listChunks(storage, settings)) {
    const ours = objects.filter(({ key }) => isTraceKey(key));
    for await (const read of readObjects(ours, storage, settings)) {
      settings.signal?.throwIfAborted();
      if ('why' in read && read.why === 'vanished') continue;
      if (summary) summary.listed += 1;
      if (!('why' in read)) yield { object: read.object, spans: await createSpanTexts().of(read.request) };
      else if (summary) summary.unreadable += 1;
    }
  }
}
