import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { isStorageError, type Storage, type StoredObject } from '../../server/storage.js';
import { readBounded } from '../../wire/bounded-read.js';
import { inLanes } from '../../wire/lanes.js';
import { messageOf } from '../failure.js';
import { printable } from '../printable.js';
import { filePathOf } from './file-path.js';

export interface PullOptions {
  storage: Pick<Storage, 'get'>;
  /** Pages of what is to be had. */
  pages: AsyncIterable<StoredObject[]>;
  folder: string;
  /** Writes `.json` instead of `.json.gz`. */
  inflate: boolean;
  /** Objects fetched at one time. */
  concurrency: number;
  /** Larger objects are not fetched, and nothing is inflated further. Bytes. */
  maxBytes: number;
  /** Changes an object's JSON in place before it is written. Objects that are no JSON are written as they are. */
  rewrite?: ((json: unknown, key: string) => Promise<unknown>) | undefined;
  signal: AbortSignal;
  onProgress(summary: PullSummary): void;
}

export interface PullSummary {
  listed: number;
  written: number;
  /** Were there already, with the same size. */
  skipped: number;
  /** Were listed, and gone when they were asked for. */
  vanished: number;
  failed: number;
  /** Of files written. */
  bytes: number;
  /** The first failures, one line each. */
  failures: { key: string; message: string }[];
}

const MAX_FAILURES_TOLD = 20;
/** Beside the files, in the same file system, so that a rename is all or nothing. */
const PARTIAL_FOLDER = '.spandrel-partial';
const LEFTOVER = /^\d+-[0-9a-f]{16}(-case)?$/;
const HOUR_MILLIS = 3_600_000;

/** Copies objects to files. A file has its name only when it is whole. Rejects when the listing fails, or on abort. */
export async function pull(options: PullOptions): Promise<PullSummary> {
  const { pages, folder, concurrency, signal, onProgress } = options;
  const summary: PullSummary = {
    listed: 0,
    written: 0,
    skipped: 0,
    vanished: 0,
    failed: 0,
    bytes: 0,
    failures: [],
  };
  const root = await realpath(folder);
  const partial = path.join(root, PARTIAL_FOLDER);
  await refuseOutside(partial, root);
  await mkdir(partial, { recursive: true });
  await removeLeftovers(partial);
  const ignoresCase = await takesCapitalsForSmall(partial);
  const one = async (object: StoredObject): Promise<void> => {
    try {
      await pullOne(object, { ...options, root, partial, ignoresCase }, summary);
    } catch (error) {
      if (signal.aborted) return;
      summary.failed += 1;
      if (summary.failures.length < MAX_FAILURES_TOLD) {
        summary.failures.push({ key: printable(object.key, 1_024), message: printable(messageOf(error)) });
      }
    }
    onProgress(summary);
  };
  try {
    for await (const objects of pages) {
      summary.listed += objects.length;
      onProgress(summary);
      await inLanes(objects, concurrency, async (object) => {
        if (!signal.aborted) await one(object);
      });
      signal.throwIfAborted();
    }
  } finally {
    // Another pull may be at work in the same folder; its files keep the folder.
    await rmdir(partial).catch(() => undefined);
  }
  return summary;
}

interface Target extends PullOptions {
  root: string;
  partial: string;
  ignoresCase: boolean;
}

async function pullOne(object: StoredObject, target: Target, summary: PullSummary): Promise<void> {
  const { storage, root, inflate, maxBytes, partial, ignoresCase, rewrite } = target;
  const isGzip = object.key.endsWith('.gz');
  const name = filePathOf(inflate && isGzip ? object.key.slice(0, -'.gz'.length) : object.key, {
    ignoresCase,
  });
  const file = path.join(root, ...name.split('/'));
  // A link is no file of ours, whatever it leads to: it is replaced.
  const there = await lstat(file).catch(() => undefined);
  // What was inflated or rewritten was whole when it got its name; its size says nothing.
  if (there?.isFile() && ((inflate && isGzip) || rewrite || there.size === object.size)) {
    summary.skipped += 1;
    return;
  }
  if (object.size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes (--max-bytes)`);
  const stored = await storage.get(object.key, { maxBytes }).catch((error: unknown) => {
    throw isStorageError(error) && error.tooLarge ? new Error(`it is larger than ${maxBytes} bytes`) : error;
  });
  if (!stored) {
    summary.vanished += 1;
    return;
  }
  const named = await asNamed(stored, isGzip, inflate || rewrite !== undefined, maxBytes);
  const bytes = rewrite ? await rewritten(named, object.key, rewrite, isGzip && !inflate) : named;
  await refuseOutside(path.dirname(file), target.root);
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = path.join(partial, `${process.pid}-${randomBytes(8).toString('hex')}`);
  try {
    await writeFile(temporary, bytes, { flag: 'wx' });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  summary.written += 1;
  summary.bytes += bytes.length;
}

/** What a pull left that was ended in the middle of a file. Another may be at work: no file takes so long. */
async function removeLeftovers(partial: string): Promise<void> {
  for (const name of await readdir(partial)) {
    const file = path.join(partial, name);
    const about = LEFTOVER.test(name) ? await lstat(file).catch(() => undefined) : undefined;
    if (about && about.mtimeMs < Date.now() - HOUR_MILLIS) await rm(file, { force: true });
  }
}

/** Whether two names that differ in capitals are one file here. */
async function takesCapitalsForSmall(partial: string): Promise<boolean> {
  const name = `${process.pid}-${randomBytes(8).toString('hex')}-case`;
  await writeFile(path.join(partial, name), '', { flag: 'wx' });
  try {
    return (await lstat(path.join(partial, name.toUpperCase())).catch(() => undefined)) !== undefined;
  } finally {
    await rm(path.join(partial, name), { force: true });
  }
}

/** The bytes that belong under the name: a store may have inflated what was put with `Content-Encoding: gzip`. */
async function asNamed(
  bytes: Uint8Array<ArrayBuffer>,
  isGzip: boolean,
  inflate: boolean,
  maxBytes: number,
): Promise<Uint8Array> {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes;
  if (!inflate) return isCompressed ? bytes : gzipSync(bytes);
  if (!isCompressed) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const text = await readBounded(stream, maxBytes).catch(() => {
    throw new Error('it is not gzip, or broken off');
  });
  if (!text) throw new Error(`it inflates to more than ${maxBytes} bytes`);
  return text;
}

async function rewritten(
  json: Uint8Array,
  key: string,
  rewrite: NonNullable<PullOptions['rewrite']>,
  isPacked: boolean,
): Promise<Uint8Array> {
  const bytes = await rewrittenJson(json, key, rewrite);
  return isPacked ? gzipSync(bytes) : bytes;
}

async function rewrittenJson(
  json: Uint8Array,
  key: string,
  rewrite: NonNullable<PullOptions['rewrite']>,
): Promise<Uint8Array> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    return json;
  }
  await rewrite(value, key);
  return new TextEncoder().encode(JSON.stringify(value));
}

/** A link in the folder must not lead what we write out of it. What is not there yet, we make. */
async function refuseOutside(folder: string, root: string): Promise<void> {
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined) return refuseOutside(path.dirname(folder), root);
  if (real !== root && !real.startsWith(root + path.sep)) throw new Error('a link leads out of the folder');
}
