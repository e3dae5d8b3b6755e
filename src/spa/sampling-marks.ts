/**
 * What became of traces that were decided after their beginning, so that spans that come late follow: a trace is kept
 * or dropped whole. Remembered for 5 minutes from the last word of it, or while the span that it hangs on is open.
 */
export interface Marks {
  /** @param owner id of the open span that the trace hangs on. */
  set(traceId: string, isKept: boolean, owner: string | undefined): void;
  /** Whether the trace is kept; undefined when nothing is known of it. */
  get(traceId: string): boolean | undefined;
  /** A span of the trace has ended. */
  ended(traceId: string, spanId: string): void;
  readonly count: number;
  /** Those that went before their time. */
  readonly forgotten: number;
}

interface Mark {
  isKept: boolean;
  owner: string | undefined;
  atMillis: number;
}

const MAX_MARKS = 10_000;
const MAX_AGE_MILLIS = 5 * 60_000;

export function createMarks(monotonic: () => number): Marks {
  /** Oldest first. */
  const marks = new Map<string, Mark>();
  let forgotten = 0;

  const put = (traceId: string, mark: Omit<Mark, 'atMillis'>): void => {
    marks.delete(traceId);
    marks.set(traceId, { ...mark, atMillis: monotonic() });
  };
  const isOver = ({ owner, atMillis }: Mark): boolean =>
    owner === undefined && monotonic() - atMillis > MAX_AGE_MILLIS;

  const makeRoom = (): void => {
    for (const [traceId, mark] of marks) if (isOver(mark)) marks.delete(traceId);
    if (marks.size < MAX_MARKS) return;
    const least = MAX_MARKS * 0.9;
    for (const traceId of marks.keys()) {
      if (marks.size <= least) break;
      marks.delete(traceId);
      forgotten++;
    }
  };

  return {
    set(traceId, isKept, owner) {
      if (marks.size >= MAX_MARKS) makeRoom();
      put(traceId, { isKept, owner });
    },
    get(traceId) {
      const mark = marks.get(traceId);
      if (!mark) return undefined;
      if (!isOver(mark)) return mark.isKept;
      marks.delete(traceId);
      return undefined;
    },
    ended(traceId, spanId) {
      const mark = marks.get(traceId);
      if (mark) put(traceId, { ...mark, owner: mark.owner === spanId ? undefined : mark.owner });
    },
    get count() {
      return marks.size;
    },
    get forgotten() {
      return forgotten;
    },
  };
}
