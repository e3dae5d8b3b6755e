import { createHash } from 'node:crypto';
import type { OwnedBucket } from '../bucket-options.js';
import { type Ask, HttpError } from '../http.js';
import { printable } from '../printable.js';
import { cureOf, FLAG_WORDS, storeCodeIn } from '../store-trouble.js';
import { type CorsRule, mergeCors, mergeLifecycle } from './bucket-rules.js';
import type { CheckId } from './checks.js';
import type { Diagnosis } from './doctor.js';
import { askAsOwner } from './owner-checks.js';

/** Something that `doctor --fix` writes. */
export interface Fix {
  what: 'CORS rules' | 'lifecycle rules';
  /** The finding that it is for. */
  id: CheckId;
  /** What was there, XML; null where there was nothing. */
  before: string | null;
  /** What is to be there. */
  after: string;
  status: 'planned' | 'written' | 'declined' | 'failed';
  /** Why it failed, and what to do. */
  message?: string;
  /** How to have it as it was. */
  undo: string;
}

interface Target {
  owned: OwnedBucket;
  ask: Ask;
}

const OPERATIONS = {
  'CORS rules': { query: '?cors=', name: 'bucket-cors' },
  'lifecycle rules': { query: '?lifecycle=', name: 'bucket-lifecycle' },
} as const;
const NOTHING_THERE = /NoSuchCORSConfiguration|NoSuchLifecycleConfiguration/;

/** What is wrong with the bucket's own settings, and what they would be. Reads, and writes nothing. */
export async function planFixes({ findings, settings }: Diagnosis, target: Target): Promise<Fix[]> {
  const isIll = (...ids: CheckId[]): boolean =>
    findings.some(({ id, status }) => ids.includes(id) && (status === 'fail' || status === 'warn'));
  const plans: Promise<Fix>[] = [];
  if (isIll('bucket.preflight', 'bucket.cors')) {
    const [rule] = settings.corsR2 as [CorsRule];
    plans.push(plan('CORS rules', 'bucket.preflight', (before) => mergeCors(before, rule), target));
  }
  if (isIll('bucket.lifecycle')) {
    const { expiry } = settings;
    plans.push(
      plan('lifecycle rules', 'bucket.lifecycle', (before) => mergeLifecycle(before, expiry), target),
    );
  }
  return Promise.all(plans);
}

/** Whether the bucket at hand is the endpoint's: an object that the endpoint took was found there. */
export function isSameBucket({ findings }: Diagnosis): boolean {
  return findings.some(({ id, status }) => (id === 'owner.read' || id === 'owner.delete') && status === 'ok');
}

async function plan(
  what: Fix['what'],
  id: CheckId,
  merge: (before: string | undefined) => string,
  { owned, ask }: Target,
): Promise<Fix> {
  const { query, name } = OPERATIONS[what];
  const bucket = owned.options.bucket;
  const found = await call(owned, ask, 'GET', query);
  const isNone = found.status === 404 && NOTHING_THERE.test(found.text);
  const before = found.status === 200 ? found.text.trim().replace(/>\s+</g, '><') : undefined;
  const undo =
    before === undefined
      ? `aws s3api delete-${name} --bucket ${bucket}`
      : `put what was there with Put${name.replace(/(^|-)(\w)/g, (_, __, letter: string) => letter.toUpperCase())}`;
  const fix: Fix = { what, id, before: before ?? null, after: merge(before), status: 'planned', undo };
  if (before === undefined && !isNone) Object.assign(fix, { status: 'failed', message: found.trouble });
  return fix;
}

/** Writes one. */
export async function writeFix(fix: Fix, { owned, ask }: Target): Promise<void> {
  const { status, trouble } = await call(owned, ask, 'PUT', OPERATIONS[fix.what].query, fix.after);
  if (status >= 200 && status < 300) fix.status = 'written';
  else Object.assign(fix, { status: 'failed', message: trouble });
}

async function call(
  owned: OwnedBucket,
  ask: Ask,
  method: 'GET' | 'PUT',
  query: string,
  body?: string,
): Promise<{ status: number; text: string; trouble: string }> {
  try {
    // S3 wants a digest with these.
    const digest =
      body === undefined ? {} : { 'content-md5': createHash('md5').update(body).digest('base64') };
    const answer = await askAsOwner(owned, ask, method, query, digest, body);
    const text = answer.body.toString();
    const code = storeCodeIn(answer.body);
    const { status } = answer;
    return {
      status,
      text,
      trouble: `${status}${code ? ` ${code}` : ''}: ${cureOf({ status, code }, FLAG_WORDS)}`,
    };
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { status: 0, text: '', trouble: printable(error.message) };
  }
}
