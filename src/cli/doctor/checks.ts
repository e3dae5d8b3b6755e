/** Everything that `doctor` looks at, in order. The ids are for scripts, and stay as they are. */
export const CHECKS = {
  'endpoint.reach': 'the endpoint can be reached',
  'endpoint.https': 'the endpoint speaks HTTPS',
  'endpoint.exchange': 'the endpoint answers the SDK',
  'endpoint.cors': 'pages may read its answer',
  'endpoint.no-store': 'its answers are kept by nobody',
  'endpoint.method': 'it takes POST and nothing else',
  'endpoint.foreign-origin': 'it turns other sites away',
  'endpoint.forgery': 'it stores under no id that is none',
  'endpoint.speed': 'it answers soon',
  'endpoint.paused': 'clients are not paused',
  'clock.endpoint': "the endpoint's clock is right",
  'upload.issued': 'it issues presigned uploads',
  'upload.url': 'they can be used from here',
  'upload.key': 'keys have the layout that readers list',
  'upload.lifetime': 'they do not last too long',
  'upload.signed': 'type and write-once are signed',
  'upload.size': 'the size is bounded',
  'clock.bucket': "the signer's clock agrees with the bucket's",
  'bucket.preflight': "the bucket's CORS rules let the page upload",
  'bucket.preflight-foreign': 'and other sites not',
  'bucket.type': 'another content type is refused',
  'bucket.size': 'another length is refused',
  'bucket.upload': 'an upload is taken',
  'bucket.cors': 'pages may read the answer',
  'bucket.write-once': 'a second upload under the same key is refused',
  'relay.store': 'the relay stores',
  'relay.confirm': 'the endpoint knows what is stored and what is not',
  'bucket.public': 'strangers cannot read the object',
  'bucket.public-list': 'strangers cannot list the bucket',
  'owner.read': 'the object reads back as it was sent',
  'owner.encoding': 'it is stored as gzip, not as encoded text',
  'bucket.lifecycle': 'old objects are deleted by a rule',
  'owner.delete': 'what doctor wrote is gone again',
  'page.csp': "the page's policy lets it connect",
} as const;

export type CheckId = keyof typeof CHECKS;

/** `skip`: could not be looked at, or need not be. */
export type FindingStatus = 'ok' | 'warn' | 'fail' | 'skip';

export interface Finding {
  id: CheckId;
  status: FindingStatus;
  /** What is to be so. */
  title: string;
  /** What is so, without secrets. */
  seen?: string;
  /** What to change. */
  advice?: string;
}

/** Findings as they are made, one for each check; a later one takes the place of an earlier. */
export interface Findings {
  ok(id: CheckId, seen?: string): void;
  /** Works, and could be better. */
  warn(id: CheckId, seen: string, advice: string): void;
  fail(id: CheckId, seen: string, advice: string): void;
  /** Could not be looked at, or need not be. */
  skip(id: CheckId, seen: string): void;
  /** One for each check, in their order; those never made are skipped. */
  all(): Finding[];
}

export const NOT_REACHED = 'not reached';

/** @param ignored ids whose faults the operator accepts. */
export function createFindings(ignored: readonly string[], onFinding: (finding: Finding) => void): Findings {
  const made = new Map<CheckId, Finding>();
  const tell = (id: CheckId, status: FindingStatus, seen?: string, advice?: string): void => {
    const finding: Finding = { id, status, title: CHECKS[id] };
    if (seen !== undefined) finding.seen = seen;
    if (advice !== undefined) finding.advice = advice;
    made.set(id, finding);
    onFinding(finding);
  };
  const blame = (status: 'warn' | 'fail') => (id: CheckId, seen: string, advice: string) =>
    ignored.includes(id) ? tell(id, 'skip', `ignored: ${seen}`) : tell(id, status, seen, advice);
  return {
    ok: (id, seen) => tell(id, 'ok', seen),
    warn: blame('warn'),
    fail: blame('fail'),
    skip: (id, seen) => tell(id, 'skip', seen),
    all: () =>
      (Object.keys(CHECKS) as CheckId[]).map(
        (id) => made.get(id) ?? { id, status: 'skip', title: CHECKS[id], seen: NOT_REACHED },
      ),
  };
}
