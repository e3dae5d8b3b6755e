/** Stacks of what browsers ran, told in the sources' words. */
import type { FoundMap, MapCache } from './map-cache.js';
import type { SourcePlace } from './open-map.js';
import { parseStack, type StackLine } from './parse-stack.js';

/** A line of a stack, and what became of it. */
export interface ResolvedLine extends StackLine {
  /** Where it is in the sources; absent where that could not be found. */
  place?: SourcePlace;
  /** What the function is called there; empty where nobody says. */
  called?: string;
  /** Why there is no place. */
  why?: string;
}

export interface ResolvedStack {
  lines: ResolvedLine[];
  /** The stack as a browser would have written it for the sources; lines without a place stand as they came. */
  text: string;
  /** Whether any line has a place. */
  isResolved: boolean;
}

/** Whose maps to look into: what the object's key and the span's resource say. */
export interface Whose {
  project: string;
  /** `service.version`. */
  release: string;
}

/** More of one stack are left as they came. */
const MAX_FRAMES = 100;

/** Resolves one stack. Never rejects: what cannot be resolved stands as it came, with the reason. */
export async function resolveStack(
  maps: MapCache,
  stack: string,
  { project, release }: Whose,
): Promise<ResolvedStack> {
  const parsed = parseStack(stack);
  const found = new Map<string, FoundMap>();
  for (const { frame } of parsed.filter(({ frame }) => frame).slice(0, MAX_FRAMES)) {
    if (frame && !found.has(frame.url)) found.set(frame.url, await maps.find(project, release, frame.url));
  }
  const lines = parsed.map((line) => placed(line, found));
  for (const [index, line] of lines.entries()) {
    if (line.place) line.called = nameOf(line, lines[index + 1]);
  }
  return {
    lines,
    text: lines.map(textOf).join('\n'),
    isResolved: lines.some(({ place }) => place),
  };
}

function placed(line: StackLine, found: Map<string, FoundMap>): ResolvedLine {
  const { frame } = line;
  const map = frame && found.get(frame.url);
  if (!frame || !map) return { ...line };
  if ('why' in map) return { ...line, why: map.why };
  const place = map.map.find(frame.line, frame.column);
  if (place) return { ...line, place };
  return {
    ...line,
    why: `the map knows nothing of ${frame.line}:${frame.column}: it may be of another build`,
  };
}

/**
 * A map names what stands at a place. At the place that a function was called from that is the function, which the
 * minifier has called otherwise.
 */
function nameOf({ frame }: ResolvedLine, caller: ResolvedLine | undefined): string {
  if (caller?.frame && !caller.frame.isAsync && caller.place?.name) return caller.place.name;
  const name = frame?.name ?? '';
  // Of three letters or fewer it is the minifier's.
  return name.split('.').some((part) => part.length > 3) ? name : '';
}

function textOf({ text, frame, place, called }: ResolvedLine): string {
  if (!frame || !place) return text;
  const where = `${place.source}:${place.line}:${place.column}`;
  return `    at ${frame.isAsync ? 'async ' : ''}${called ? `${called} (${where})` : where}`;
}
