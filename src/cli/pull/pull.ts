import { randomBytes } from 'node:crypto';
import { mkdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { readBounded } from '../../server/bounded-read.js';
import { isStorageError, type Storage, type StoredObject } from '../../server/storage.js';
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
  const partial = path.join(folder, PARTIAL_FOLDER);
  await mkdir(partial, { recursive: true });
  const root = await realpath(folder);
  const one = async (object: StoredObject): Promise<void> => {
    try {
      await pullOne(object, { ...options, root, partial }, summary);
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
      // All lanes draw from one iterator.
      const queue = objects.values();
      const lane = async (): Promise<void> => {
        for (const object of queue) {
          if (signal.aborted) return;
          await one(object);
        }
      };
      await Promise.all(Array.from({ length: concurrency }, lane));
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
}

async function pullOne(object: StoredObject, target: Target, summary: PullSummary): Promise<void> {
  const { storage, folder, inflate, maxBytes, partial } = target;
  const isGzip = object.key.endsWith('.gz');
  const name = filePathOf(inflate && isGzip ? object.key.slice(0, -'.gz'.length) : object.key);
  const file = path.join(folder, ...name.split('/'));
  const there = await stat(file).catch(() => undefined);
  // What was inflated was whole when it got its name; its size says nothing.
  if (there?.isFile() && ((inflate && isGzip) || there.size === object.size)) {
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
  const bytes = await asNamed(stored, isGzip, inflate, maxBytes);
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

/** A link in the folder must not lead what we write out of it. What is not there yet, we make. */
async function refuseOutside(folder: string, root: string): Promise<void> {
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined) return refuseOutside(path.dirname(folder), root);
  if (real !== root && !real.startsWith(root + path.sep)) throw new Error('a link leads out of the folder');
}
