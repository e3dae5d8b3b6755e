/** A map that is open: positions of the file that ran, told as places in the sources. The only importer of trace-mapping. */
import { decodedMappings, originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import type { SourceMapJson } from './check-map.js';

/** Where in the sources. */
export interface SourcePlace {
  /** As one reads it: without `webpack://name/` and leading `../`. */
  source: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** What the source calls what stands here; empty where the map does not say. */
  name: string;
  /** The source is the page's own: neither in `node_modules` nor on the map's ignore list. */
  isOwn: boolean;
  /** The source's lines around it; absent where the map does not hold the source. */
  context?: SourceLines;
}

export interface SourceLines {
  /** The number of the first, from 1. */
  first: number;
  lines: string[];
}

export interface OpenMap {
  /** What it takes in memory, bytes, about. */
  bytes: number;
  /** @param column from 1. @returns undefined where the map knows nothing of it. */
  find(line: number, column: number): SourcePlace | undefined;
}

/** Lines on either side of a frame's. */
const CONTEXT_LINES = 3;
const MAX_LINE_CHARS = 200;
/** Bytes that a character of mappings takes once it is decoded. */
const BYTES_PER_CHAR = 25;

/** @throws {Error} when its mappings cannot be decoded. */
export function openMap(map: SourceMapJson): OpenMap {
  const traced = new TraceMap(map as ConstructorParameters<typeof TraceMap>[0]);
  // Now, so that what is wrong is told once.
  decodedMappings(traced);
  const sources = map.sources.map((source) => sourceName(source ?? '', map.sourceRoot ?? ''));
  const ignored = new Set(map.ignoreList?.map((index) => map.sources[index]));
  const indexes = new Map(traced.resolvedSources.map((source, index) => [source, index]));
  /** Sources that were split into lines. */
  const split = new Map<number, string[]>();

  const linesOf = (index: number): string[] | undefined => {
    const known = split.get(index);
    const text = map.sourcesContent?.[index];
    if (known || typeof text !== 'string') return known;
    const lines = text.split('\n');
    split.set(index, lines);
    return lines;
  };

  const contentChars = (map.sourcesContent ?? []).reduce((sum, text) => sum + (text?.length ?? 0), 0);
  return {
    bytes: map.mappings.length * BYTES_PER_CHAR + contentChars * 4,
    find(line, column) {
      const found = originalPositionFor(traced, { line, column: Math.max(0, column - 1) });
      if (found.source === null) return undefined;
      const index = indexes.get(found.source) ?? -1;
      const source = sources[index] ?? '';
      const lines = linesOf(index);
      const context = lines && around(lines, found.line);
      return {
        ...{ source, line: found.line, column: found.column + 1, name: found.name ?? '' },
        isOwn: !/(^|\/)node_modules\//.test(source) && !ignored.has(map.sources[index] ?? ''),
        ...(context ? { context } : {}),
      };
    },
  };
}

/** Undefined where the source has no such line: the map is not of this source. */
function around(lines: string[], line: number): SourceLines | undefined {
  if (line > lines.length) return undefined;
  const from = Math.max(0, line - 1 - CONTEXT_LINES);
  return {
    first: from + 1,
    lines: lines
      .slice(from, line + CONTEXT_LINES)
      .map((text) => text.replace(/\r$/, '').slice(0, MAX_LINE_CHARS)),
  };
}

function sourceName(source: string, root: string): string {
  const joined = root && !/^([a-z]+:|\/)/i.test(source) ? `${root.replace(/\/$/, '')}/${source}` : source;
  return joined
    .replace(
      /^(?:webpack|rsbuild|turbopack|ng|vite):\/\/\/?(?:[^/]*\/(?=\.\/|\.\.\/|src\/|node_modules\/))?/,
      '',
    )
    .replace(/^(?:\.{1,2}\/)+/, '')
    .slice(0, 500);
}
