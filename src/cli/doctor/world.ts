/** What `doctor` was told, what its checks learn on the way, and how each of them says what it found. */
import { DEFAULT_LAYOUT } from '../../object-key.js';
import type { S3Options } from '../../server/s3-options.js';
import type { Storage } from '../../server/storage.js';
import type { Ask, HttpAnswer } from '../http.js';
import { type Issued, keyUnder, type Upload } from './untrusted-answer.js';

/** What `doctor` was told. */
export interface DoctorSettings {
  endpoint: URL;
  /** Of the page, as browsers write it. */
  origin: string;
  project: string | undefined;
  /** A page whose policy is to be looked at. */
  page: URL | undefined;
  /** After how many days the suggested rule deletes. */
  keepDays?: number;
  /** With credentials, where there are any. */
  owned: { options: S3Options; storage: Storage } | undefined;
}

/** What every check works with. What is absent is not known, and what depends on it is not reached. */
export interface World {
  readonly settings: DoctorSettings;
  readonly ask: Ask;
  /** For addresses that somebody else names: not into networks of ours, unless the endpoint itself is there. */
  readonly askForeign: Ask;
  /** The endpoint is in a network of ours, and may name what else is. */
  isInner: boolean;
  /** What was put and is still there: bytes by key. The key is the endpoint's word, and so no reason to delete it. */
  readonly left: Map<string, Uint8Array>;
  /** Nothing more is sent to endpoint and bucket. */
  isStopped?: boolean;
  /** The endpoint's first answer, and what it holds: one upload to use, one for the relay, one to misuse. */
  answer?: HttpAnswer;
  issued?: Issued;
  /** The uploads may be sent to. */
  isUsable?: boolean;
  /** Origin of the presigned URLs. */
  bucketOrigin?: string;
  /** What the relay has stored. */
  relayed?: { id: string; key: string };
  /** The bucket's connections break. */
  isBucketBroken?: boolean;
  /** The bucket's answer to the upload, and what it took. */
  uploaded?: HttpAnswer;
  sent?: Uint8Array<ArrayBuffer>;
  /** The owner has found it. */
  isFound?: boolean;
}

/** The upload that is used as it is meant. */
export const uploadOf = ({ issued, isUsable, isBucketBroken, isStopped }: World): Upload | undefined =>
  isUsable && !isBucketBroken && !isStopped ? issued?.uploads[0] : undefined;

/** Where an upload's object is: of a path nobody but the relay's answer can tell where the key begins. */
export function keyOf({ key }: Upload, { relayed }: World): string {
  const root = relayed ? relayed.key.slice(0, relayed.key.lastIndexOf('/year=')) : DEFAULT_LAYOUT.prefix;
  return keyUnder(root, key);
}

/** What stands before project and environment in keys. */
export function prefixOf(world: World): string {
  const [upload] = world.issued?.uploads ?? [];
  const key = world.relayed?.key ?? (upload ? keyOf(upload, world) : '');
  return /^(.+?)\/[^/]+\/[^/]+\/year=/.exec(key)?.[1] ?? DEFAULT_LAYOUT.prefix;
}

/** `skip`: could not be looked at, or need not be. `warn`: works, and could be better. */
export type FindingStatus = 'ok' | 'warn' | 'fail' | 'skip';

export interface Found {
  status: FindingStatus;
  /** What is so, without secrets. */
  seen?: string;
  /** What to change. */
  advice?: string;
}

export const ok = (seen?: string): Found => ({ status: 'ok', ...(seen === undefined ? {} : { seen }) });
export const skip = (seen: string): Found => ({ status: 'skip', seen });
export const warn = (seen: string, advice: string): Found => ({ status: 'warn', seen, advice });
export const fail = (seen: string, advice: string): Found => ({ status: 'fail', seen, advice });

export interface Check {
  /** What is to be so. */
  title: string;
  /** Undefined where it does not apply, or was not reached. @throws {HttpError} */
  look(world: World): Promise<Found | undefined>;
}

/**
 * @param on what is looked at; undefined where there is nothing to look at.
 * @param look looks, and says what to do where it is not as it should be.
 */
export function check<T>(
  title: string,
  on: (world: World) => T | undefined | false,
  look: (thing: T, world: World) => Found | undefined | Promise<Found | undefined>,
): Check {
  return {
    title,
    async look(world) {
      const thing = on(world);
      return thing === undefined || thing === false ? undefined : look(thing, world);
    },
  };
}

/** A site that is nobody's, for what nobody else may do. */
export const FOREIGN_ORIGIN = 'https://doctor.spandrel.invalid';
/** `service.name` of what doctor writes. */
export const DOCTOR_SERVICE = 'spandrel-doctor';

/** Stores refuse signatures some 15 minutes off; whatever is over this needs mending before it gets there. */
export const SKEW_WARN_MILLIS = 60_000;
const SKEW_FAIL_MILLIS = 600_000;

/** What a clock is found to be that is off by so much. */
export function ofClock(offMillis: number, seen: string, advice: string): Found {
  if (offMillis < SKEW_WARN_MILLIS) return ok();
  return (offMillis < SKEW_FAIL_MILLIS ? warn : fail)(seen, advice);
}

/** How far the clock behind `Date` is ahead of this machine's, milliseconds; 0 within what the way may take. */
export function skewOf({ headers, atMillis, millis }: HttpAnswer): number | undefined {
  const date = Date.parse(headers.date ?? '');
  if (Number.isNaN(date)) return undefined;
  // Date has whole seconds, and was written somewhere between question and answer.
  const [earliest, latest] = [date - millis, date + 1_000 + millis];
  if (atMillis >= earliest && atMillis <= latest) return 0;
  return atMillis < earliest ? earliest - atMillis : latest - atMillis;
}
