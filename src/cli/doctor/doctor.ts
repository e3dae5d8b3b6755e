import { DEFAULT_LAYOUT } from '../../object-key.js';
import { isInnerHost } from '../hosts.js';
import { type Ask, HttpError } from '../http.js';
import { createFindings, type Finding, type FindingStatus } from './checks.js';
import { checkEndpoint } from './endpoint-checks.js';
import { checkIssued, INNER_ADVICE } from './issued-checks.js';
import { checkLifecycle, checkReadBack, removeProbes } from './owner-checks.js';
import { checkPage } from './page-checks.js';
import { checkPreflight } from './preflight-checks.js';
import { checkPublic } from './public-checks.js';
import { type Recipes, recipes } from './recipes.js';
import { checkConfirm, checkRelay } from './relay-checks.js';
import type { DoctorSettings, Examination } from './settings.js';
import { type Issued, keyUnder, type Upload } from './untrusted-answer.js';
import { checkMisuse, checkUpload } from './upload-checks.js';

export interface Diagnosis {
  /** False when anything failed. */
  ok: boolean;
  counts: Record<FindingStatus, number>;
  findings: Finding[];
  settings: Recipes;
  /** Objects that doctor put and could not delete. */
  leftKeys: string[];
}

export interface DoctorOptions {
  settings: DoctorSettings;
  ask: Ask;
  now?: () => number;
  /** Ids of findings that are accepted. */
  ignored?: readonly string[];
  onFinding?: (finding: Finding) => void;
}

/** Looks at an endpoint and its bucket from outside, as a page would, and with credentials as their owner. */
export async function diagnose({
  settings,
  ask,
  now = Date.now,
  ignored = [],
  onFinding = () => undefined,
}: DoctorOptions): Promise<Diagnosis> {
  const findings = createFindings(ignored, onFinding);
  const examination: Examination = {
    settings,
    findings,
    ask,
    askForeign: (url, request) =>
      ask(url, { ...request, isForeign: !examination.isInner && !isOwned(url, settings) }),
    isInner: isInnerHost(settings.endpoint.hostname),
    now,
    left: new Map(),
    bucketOrigin: undefined,
  };
  let first: Upload | undefined;
  let relayed: string | undefined;
  try {
    const issued = await checkEndpoint(examination);
    first = issued?.uploads[0];
    if (issued) relayed = await examine(issued, examination);
  } catch (error) {
    // A connection that breaks in the middle: what it was for is told by what is missing.
    if (!(error instanceof HttpError)) throw error;
    findings.fail(
      'endpoint.reach',
      `a later request failed: ${error.message}`,
      'run doctor again; if it stays so, something on the way breaks connections',
    );
  } finally {
    await unlessBroken(() => removeProbes(examination));
  }
  await unlessBroken(() => checkLifecycle(prefixOf(relayed ?? first?.key), examination));
  await checkPage(examination);

  const all = findings.all();
  const counts: Diagnosis['counts'] = { ok: 0, warn: 0, fail: 0, skip: 0 };
  for (const { status } of all) counts[status] += 1;
  return {
    ok: counts.fail === 0,
    counts,
    findings: all,
    settings: recipes({
      ...{ origin: settings.origin, endpoint: settings.endpoint, bucketOrigin: examination.bucketOrigin },
      ...(first && { method: first.method, headers: first.headers }),
      prefix: prefixOf(relayed ?? first?.key),
      days: settings.keepDays,
    }),
    leftKeys: [...examination.left.keys()],
  };
}

/** @returns the key of what was relayed, which the endpoint says as it is. */
async function examine(issued: Issued, examination: Examination): Promise<string | undefined> {
  const { findings } = examination;
  const [upload, relayed, unused] = issued.uploads;
  if (!upload) {
    if (issued.isRelayOnly)
      findings.skip('upload.issued', 'the store takes nothing from outside; the relay does');
    else if (issued.isPaused) findings.skip('upload.issued', 'paused');
    else
      findings.fail(
        'upload.issued',
        'none',
        'set maxUploads of createIngest() to 1 or more, or look at its quota',
      );
    if (issued.isPaused) return undefined;
    const stored = await checkRelay(examination);
    await checkConfirm(stored ? [stored.id] : [], [], examination);
    return stored?.key;
  }
  findings.ok('upload.issued', `${issued.uploads.length}`);
  const isOneStore = issued.uploads.every(({ url }) => new URL(url).origin === new URL(upload.url).origin);
  if (!isOneStore) {
    findings.fail('upload.url', 'one answer names several hosts', 'let all uploads go to one store');
    return undefined;
  }
  if (!checkIssued(upload, examination)) return undefined;

  const other = relayed && (await checkRelay(examination, relayed.id));
  // Of a path nobody else can tell where the key begins.
  const root = other ? other.key.slice(0, other.key.lastIndexOf('/year=')) : DEFAULT_LAYOUT.prefix;
  for (const one of issued.uploads) one.key = keyUnder(root, one.key);
  let sent: Uint8Array<ArrayBuffer> | undefined;
  const broken = await unlessBroken(async () => {
    await checkPreflight(upload, examination);
    if (unused) await checkMisuse(unused, examination);
    sent = await checkUpload(upload, examination);
  });
  if (broken?.kind === 'inner') {
    findings.fail('upload.url', broken.message, INNER_ADVICE);
    return undefined;
  }
  if (broken) {
    const advice =
      'pages cannot reach it either: check publicEndpoint of s3(), and DNS and certificate of that host';
    findings.fail('bucket.upload', broken.message, advice);
  }
  const stored = [...(sent ? [upload.id] : []), ...(other ? [other.id] : [])];
  const missing = unused && !examination.left.has(unused.key) ? [unused.id] : [];
  await checkConfirm(stored, missing, examination);
  if (!sent) return other?.key;
  const bytes = sent;
  await unlessBroken(() => checkPublic(upload, examination));
  await unlessBroken(() => checkReadBack(upload.key, bytes, examination));
  return other?.key;
}

/** The operator has named this store himself. */
function isOwned(url: string | URL, { owned }: DoctorSettings): boolean {
  return owned !== undefined && new URL(url).origin === new URL(owned.options.endpoint).origin;
}

/** Runs a part whose connections may break; what it did not get to is skipped. Resolves with why it broke. */
async function unlessBroken(part: () => Promise<void>): Promise<HttpError | undefined> {
  try {
    await part();
    return undefined;
  } catch (error) {
    if (error instanceof HttpError) return error;
    throw error;
  }
}

/** What stands before project and environment in a key. */
function prefixOf(key = ''): string {
  return /^(.+?)\/[^/]+\/[^/]+\/year=/.exec(key)?.[1] ?? DEFAULT_LAYOUT.prefix;
}
