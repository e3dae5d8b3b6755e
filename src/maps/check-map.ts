/** What is believed of a source map. It may come from anywhere, and is bounded before anything is made of it. */

/** A map with its sources, bytes of JSON. */
export const MAX_MAP_BYTES = 67_108_864;
/** Characters of all mappings; one of these becomes up to 25 bytes of memory when it is decoded. */
const MAX_MAPPINGS_CHARS = 12_582_912;
const MAX_SOURCES = 100_000;

/** A source map of version 3, as far as it is looked at. */
export interface SourceMapJson {
  version: 3;
  sources: (string | null)[];
  names: string[];
  mappings: string;
  sourcesContent?: (string | null)[];
  sourceRoot?: string;
  ignoreList?: number[];
}

/** A map that can be read, or why it cannot. */
export type CheckedMap = { map: SourceMapJson; debugId: unknown } | { fault: string };

/** Reads a map that is whole in itself; maps that are made of sections are none of what bundlers write. */
export function checkMap(bytes: Uint8Array): CheckedMap {
  if (bytes.length > MAX_MAP_BYTES) return { fault: `it is larger than ${MAX_MAP_BYTES} bytes` };
  let json: unknown;
  try {
    // Against cross-site inclusion some servers put this line in front.
    json = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/^\)\]\}'[^\n]*\n/, ''),
    );
  } catch {
    return { fault: 'it is not JSON' };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return { fault: 'it is no JSON object' };
  const { version, sections, mappings, sources, names = [], sourcesContent, sourceRoot } = json as Fields;
  const { ignoreList = (json as Fields)['x_google_ignoreList'], debugId, debug_id } = json as Fields;
  if (version !== 3) return { fault: `it is of version ${String(version).slice(0, 20)}, and 3 is read` };
  if (sections !== undefined) return { fault: 'it is made of sections, which are not read' };
  if (typeof mappings !== 'string') return { fault: 'it has no mappings' };
  if (mappings.length > MAX_MAPPINGS_CHARS) {
    return { fault: `its mappings are longer than ${MAX_MAPPINGS_CHARS} characters` };
  }
  if (!isTexts(sources, true)) return { fault: 'its sources are no list of names' };
  if (!isTexts(names, false)) return { fault: 'its names are no list of names' };
  const map: SourceMapJson = { version: 3, mappings, sources, names };
  if (isTexts(sourcesContent, true)) map.sourcesContent = sourcesContent;
  if (typeof sourceRoot === 'string') map.sourceRoot = sourceRoot;
  if (Array.isArray(ignoreList)) map.ignoreList = ignoreList.filter(Number.isInteger);
  return { map, debugId: debugId ?? debug_id };
}

type Fields = Record<string, unknown>;

function isTexts<MayBeNull extends boolean>(
  value: unknown,
  mayBeNull: MayBeNull,
): value is MayBeNull extends true ? (string | null)[] : string[] {
  if (!Array.isArray(value) || value.length > (mayBeNull ? MAX_SOURCES : MAX_MAPPINGS_CHARS)) return false;
  return value.every((item) => typeof item === 'string' || (mayBeNull && item === null));
}
