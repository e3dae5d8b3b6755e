// Part of `npm run check`: imports point down, a stage knows no other stage, each dependency has one importer, and
// the world's globals are named in few places. Prints the lines that do otherwise.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const DEFAULT_ROOT = fileURLToPath(new URL('../../src', import.meta.url));

/** From the top down. A file may import from its own row and from those below it. */
const LAYERS = [
  {
    name: 'entries',
    files:
      /^(index|script|late-script|stub|edge|otlp|logs|events|server|forward|compact|plugin|release)\.ts$/,
  },
  {
    name: 'composition',
    files:
      /^((start|page-instrumentation|exporter|page-exporter|trace-exporter|log-exporter|log-batch-processor|tail-sampling|trace-batch-processor|unfit|handover|shared|late(-page|-source(-script|-whole)?)?)\.ts$|edge\/)/,
  },
  {
    name: 'parts',
    files:
      /^(bucket|destinations(?!\/destination(-guard)?\.ts)|spa|script|sdk|events|server|forward|compact|maps|cli)\//,
  },
  // With what a destination is, and what guards against one that breaks its word.
  { name: 'pipeline', files: /^(pipeline|outbox)\/|^destinations\/destination(-guard)?\.ts$/ },
  { name: 'ground', files: /^(platform|diagnostics)\// },
  { name: 'wire', files: /^wire\// },
  {
    name: 'leaves',
    files: /^(protocol|options|page-options|tag-options|object-key|early|json|version)\.ts$/,
  },
];
/** The nouns: types that every layer may speak of. */
const NOUNS = /^pipeline\/(model|span)\.ts$/;
/** Interfaces that a lower layer states and a higher one fills. */
const CONTRACTS = /^destinations\/destination\.ts$/;
/**
 * Who joins stages, or shares one's rule: URLs are redacted by one. The outbox holds what was encoded as it was packed, a
 * blob's length is the pipeline's to compare with an upload's, and sampling decides in the buffer.
 */
const JOINERS =
  /^(trace-batch-processor|exporter|page-exporter|trace-exporter|log-exporter|log-batch-processor|late|shared|edge\/(collector|lane|compress|trace-exporter)|pipeline\/(pipeline|filling|deliver|relay-only|pack)|outbox\/(outbox|format)|bucket\/(leaving|send|tell)|spa\/(attributes|late|sampling)|destinations\/(tee|open-otlp|otlp-format|otlp-protobuf))\.ts$/;
/** Every other file of `pipeline/` is a stage, or a part of the one that it is named after. */
const STAGE =
  /^pipeline\/(?!(?:pipeline|alarm|settle|deliver|relay-only|consent|model|local-trace|span)\.)((?:encode|compress)(?=-)|[^.]+)/;
const stageOf = (/** @type {string} */ file) => STAGE.exec(file)?.[1];

/** @type {Record<string, string>} */
const ONE_IMPORTER = {
  fflate: 'pipeline/compress-fflate.ts',
  'idb-keyval': 'platform/idb-store.ts',
  aws4fetch: 'server/sigv4.ts',
  'web-vitals': 'spa/web-vitals.ts',
  commander: 'cli/command.ts',
  bowser: 'compact/agents.ts',
  isbot: 'compact/agents.ts',
  '@jridgewell/trace-mapping': 'maps/open-map.ts',
  unplugin: 'plugin.ts',
};

/** Where runtimes differ on how they give `AsyncLocalStorage`, it is asked for by name as well, and may be missing. */
const MAY_IMPORT_NODE = /** @type {Record<string, string>} */ ({
  'edge/async-storage.ts': 'node:async_hooks',
});

const GLOBALS =
  /(?<![\w$.]|\bglobalThis\.)(?:globalThis\.)?\b(document|window|navigator|indexedDB|setTimeout|fetch|Date\.now|performance)\b(?!\??:|')/g;
/** `options.ts` resolves a path against the page; the server has no page. */
const MAY_NAME_GLOBALS =
  /^(platform\/|spa\/|edge\/|sdk\/|server\/|forward\/|compact\/|maps\/|cli\/|script\/|(script|late-source-script|stub|start|page-instrumentation|options|edge)\.ts$)/;

const IMPORT =
  /^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'|^import\s+()'([^']+)'|\bimport\(()(?:\s*\/\*.*?\*\/)*\s*'([^']+)'(?: as string)?\)/gm;
const NOT_CODE = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

const lineOf = (/** @type {string} */ text, /** @type {number} */ index) =>
  text.slice(0, index).split('\n').length;
const layerOf = (/** @type {string} */ file) => LAYERS.findIndex(({ files }) => files.test(file));

/** What is wrong with an import, or undefined. @param {string} file @param {string} target @param {boolean} isType */
function offence(file, target, isType) {
  if (
    target.startsWith('server/') &&
    !/^(server\/|server\.ts|edge\.ts|forward\.ts|compact\.ts|plugin\.ts|forward\/|compact\/|maps\/|cli\/)/.test(
      file,
    )
  ) {
    return 'the client knows nothing of the server';
  }
  if (file.startsWith('server/') && !/^(server|wire)\/|^(protocol|object-key)\.ts$/.test(target)) {
    return 'the server shares wire/, protocol.ts and object-key.ts with the client, and nothing else';
  }
  if (isType && (NOUNS.test(target) || CONTRACTS.test(target))) return undefined;
  if (layerOf(target) < layerOf(file)) {
    return `${LAYERS[layerOf(target)]?.name} are above ${LAYERS[layerOf(file)]?.name}`;
  }
  const [from, to] = [stageOf(file), stageOf(target)];
  if (to && from !== to && !JOINERS.test(file)) {
    return from ? 'a stage knows no other stage' : 'only those who join stages know them';
  }
  if (from && !to && !isType && !NOUNS.test(target) && target !== 'json.ts')
    return 'a stage gets what it needs as parameters';
  return undefined;
}

/** @returns {string[]} the offending lines below `root`, as `file:line: what`. */
export function checkImports(root = DEFAULT_ROOT) {
  /** @type {string[]} */
  const found = [];
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split('\\').join('/'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('testing/'));
  for (const file of files.sort()) {
    const text = readFileSync(join(root, file), 'utf8');
    const tell = (/** @type {number} */ index, /** @type {string} */ what) =>
      found.push(`src/${file}:${lineOf(text, index)}: ${what}`);
    if (layerOf(file) < 0) tell(0, 'this place is in no layer; see e2e/support/check-imports.mjs');
    for (const match of text.matchAll(IMPORT)) {
      const specifier = match[2] ?? match[4] ?? match[6] ?? '';
      const isType = match[1] !== undefined || onlyTypes(match[0]);
      if (specifier.startsWith('.')) {
        const target = relative(root, join(root, dirname(file), specifier)).replace(/\.js$/, '.ts');
        const what = offence(file, target, isType);
        if (what) tell(match.index, `imports ${specifier}: ${what}`);
      } else {
        const importer = ONE_IMPORTER[specifier];
        if (importer && importer !== file) tell(match.index, `only ${importer} imports ${specifier}`);
        if (
          specifier.startsWith('node:') &&
          !/^(cli\/|plugin\.ts)/.test(file) &&
          MAY_IMPORT_NODE[file] !== specifier
        )
          tell(match.index, `imports ${specifier}: src runs in browsers and at the edge`);
      }
    }
    if (MAY_NAME_GLOBALS.test(file)) continue;
    // Blanked rather than cut, so that the lines stay.
    const code = text.replace(NOT_CODE, (piece) => piece.replace(/[^\n']/g, ' '));
    for (const match of code.matchAll(GLOBALS)) tell(match.index, `names ${match[1]}: platform/ does`);
  }
  return found;
}

/** Whether braces hold nothing but `type X`. @param {string} statement */
function onlyTypes(statement) {
  const names = /\{([^}]*)\}/
    .exec(statement)?.[1]
    ?.split(',')
    .filter((name) => name.trim());
  return names?.every((name) => /^\s*type\s/.test(name)) ?? false;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = checkImports();
  for (const line of found) console.error(line);
  process.exitCode = found.length ? 1 : 0;
}
