import type { S3Options } from '../../server/s3-options.js';
import type { Storage } from '../../server/storage.js';
import type { Ask } from '../http.js';
import type { Findings } from './checks.js';

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

/** What every check works with. */
export interface Examination {
  settings: DoctorSettings;
  findings: Findings;
  ask: Ask;
  /** For addresses that somebody else names: not into networks of ours, unless the endpoint itself is there. */
  askForeign: Ask;
  /** The endpoint is in a network of ours, and may name what else is. */
  isInner: boolean;
  /** This machine's clock, epoch milliseconds. */
  now(): number;
  /** What was put and is still there: bytes by key. The key is the endpoint's word, and so no reason to delete it. */
  left: Map<string, Uint8Array>;
  /** Origin of the presigned URLs, once it is known. */
  bucketOrigin: string | undefined;
}

/** A site that is nobody's, for what nobody else may do. */
export const FOREIGN_ORIGIN = 'https://doctor.spandrel.invalid';
/** `service.name` of what doctor writes. */
export const DOCTOR_SERVICE = 'spandrel-doctor';
