/** A whole batch, by default. */
const MAX_BLAMED_IN_A_ROW = 200;
/** Few, since an endpoint may take what is empty and nothing else. */
const MAX_BLAMED_BY_EMPTY = 3;

/**
 * Whether refusals are the objects' fault: an endpoint that refuses everything is broken, or set up otherwise than its
 * user thinks, and what lies in the bucket is sound.
 */
export interface Evidence {
  /** So many objects may be blamed because the endpoint took others: a run of refusals uses it up. */
  credit: number;
  /** So many because it took an empty request, where it has taken nothing else. */
  emptyCredit: number;
  /** Objects of batches that it refused while it took none. */
  readonly doubted: Set<string>;
  /** Those of which it has taken others since. Refused again, they are to blame. */
  readonly outlived: Set<string>;
}

export function createEvidence(): Evidence {
  return { credit: 0, emptyCredit: MAX_BLAMED_BY_EMPTY, doubted: new Set(), outlived: new Set() };
}

/** The endpoint has taken something. */
export function renew(evidence: Evidence): void {
  Object.assign(evidence, { credit: MAX_BLAMED_IN_A_ROW, emptyCredit: MAX_BLAMED_BY_EMPTY });
  for (const key of evidence.doubted) evidence.outlived.add(key);
  evidence.doubted.clear();
}
