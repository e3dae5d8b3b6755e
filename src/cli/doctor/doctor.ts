import { isInnerHost } from '../hosts.js';
import { type Ask, HttpError } from '../http.js';
import { CHECKS, type CheckId } from './checks.js';
import { type Recipes, recipes } from './recipes.js';
import { INNER_ADVICE } from './upload-checks.js';
import {
  type DoctorSettings,
  type FindingStatus,
  type Found,
  fail,
  prefixOf,
  skip,
  type World,
} from './world.js';

/** What a check found. */
export interface Finding extends Found {
  id: CheckId;
  /** What is to be so. */
  title: string;
}

export interface Diagnosis {
  /** False when anything failed. */
  ok: boolean;
  counts: Record<FindingStatus, number>;
  /** One for each check, in their order; those never reached are skipped. */
  findings: Finding[];
  settings: Recipes;
  /** Objects that doctor put and could not delete. */
  leftKeys: string[];
}

export interface DoctorOptions {
  settings: DoctorSettings;
  ask: Ask;
  /** Ids of findings that are accepted. */
  ignored?: readonly string[];
  onFinding?: (finding: Finding) => void;
}

export const NOT_REACHED = 'not reached';

/** Looks at an endpoint and its bucket from outside, as a page would, and with credentials as their owner. */
export async function diagnose(options: DoctorOptions): Promise<Diagnosis> {
  const { settings } = options;
  const world: World = worldOf(options);
  const made = await examine(world, options);
  const findings = (Object.keys(CHECKS) as CheckId[]).map(
    (id): Finding => made.get(id) ?? { id, title: CHECKS[id].title, ...skip(NOT_REACHED) },
  );
  const counts: Diagnosis['counts'] = { ok: 0, warn: 0, fail: 0, skip: 0 };
  for (const { status } of findings) counts[status] += 1;
  const [first] = world.issued?.uploads ?? [];
  return {
    ok: counts.fail === 0,
    counts,
    findings,
    settings: recipes({
      ...{ origin: settings.origin, endpoint: settings.endpoint, bucketOrigin: world.bucketOrigin },
      ...(first && { method: first.method, headers: first.headers }),
      prefix: prefixOf(world),
      days: settings.keepDays,
    }),
    leftKeys: [...world.left.keys()],
  };
}

/** Runs all checks, one after the other. A fault of ours is thrown once what doctor wrote is gone again. */
async function examine(
  world: World,
  { ignored = [], onFinding = () => undefined }: DoctorOptions,
): Promise<Map<CheckId, Finding>> {
  const made = new Map<CheckId, Finding>();
  const tell = (id: CheckId, found: Found): void => {
    const isIgnored = (found.status === 'warn' || found.status === 'fail') && ignored.includes(id);
    const finding = { id, title: CHECKS[id].title, ...(isIgnored ? skip(`ignored: ${found.seen}`) : found) };
    made.set(id, finding);
    onFinding(finding);
  };
  let fault: { error: unknown } | undefined;
  for (const id of Object.keys(CHECKS) as CheckId[]) {
    try {
      const found = await CHECKS[id].look(world);
      // What broke earlier may have been told as this.
      if (found) tell(id, found);
    } catch (error) {
      if (error instanceof HttpError) tellBroken(id, error, world, tell);
      else {
        world.isStopped = true;
        fault ??= { error };
      }
    }
  }
  if (fault) throw fault.error;
  return made;
}

/** A connection that breaks in the middle: what it was for is told by what is missing. */
function tellBroken(
  id: CheckId,
  { kind, message }: HttpError,
  world: World,
  tell: (id: CheckId, found: Found) => void,
): void {
  if (/^(endpoint|relay)\./.test(id)) {
    world.isStopped = true;
    const advice = 'run doctor again; if it stays so, something on the way breaks connections';
    tell('endpoint.reach', fail(`a later request failed: ${message}`, advice));
  } else if (/^bucket\.preflight/.test(id) && kind === 'inner') {
    world.isStopped = true;
    tell('upload.url', fail(message, INNER_ADVICE));
  } else if (/^bucket\.preflight/.test(id)) {
    world.isBucketBroken = true;
    const advice =
      'pages cannot reach it either: check publicEndpoint of s3(), and DNS and certificate of that host';
    tell('bucket.upload', fail(message, advice));
  }
}

function worldOf({ settings, ask }: DoctorOptions): World {
  const world: World = {
    ...{ settings, ask, left: new Map(), isInner: isInnerHost(settings.endpoint.hostname) },
    askForeign: (url, request) =>
      ask(url, { ...request, isForeign: !world.isInner && !isOwned(url, settings) }),
  };
  return world;
}

/** The operator has named this store himself. */
function isOwned(url: string | URL, { owned }: DoctorSettings): boolean {
  return owned !== undefined && new URL(url).origin === new URL(owned.options.endpoint).origin;
}
