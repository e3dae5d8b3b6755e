// Each snippet of each README compiles as a user would compile it, from the packed package: TypeScript strictly, with the
// library's and our declarations checked, by old and new TypeScript, however modules are found; JavaScript, that of modules
// within HTML and what `spandrel init` writes by the checks of an editor.
//
// Tried: TypeScript 5.0, 5.4 (before `Uint8Array` took an argument), 5.9 and the repository's own, with `node16`,
// `nodenext`, `bundler` and `node10` where there is one; ES modules, and CommonJS where modules are found as Node does.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ensureTool } from '../support/tools.mjs';
import { install } from './installed.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url);
const ENTRIES = [
  'spandrel',
  ...['edge', 'otlp', 'events', 'forward', 'server', 'compact', 'release'].map((name) => `spandrel/${name}`),
];

/** What the READMEs take as given: the reader's own, and that of others. What is ours has its type. */
const GIVEN = `
interface Env {
  TRACES: import('spandrel/edge').R2Binding & import('spandrel/server').R2Bucket;
  QUOTA: import('spandrel/server').QuotaNamespace;
  LIMITER: import('spandrel/server').RateLimitBinding;
  API: { fetch: typeof fetch };
  OTLP_URL: string;
  OTLP_AUTH: string;
}
declare const env: Env & { ACCESS_KEY_ID: string; SECRET_ACCESS_KEY: string; SPANDREL_SECRET: string; OTLP_KEY: string };
declare const handler: { fetch(request: Request, env: Env, ctx: unknown): Promise<Response> };
declare const handle: (request: Request, ...more: unknown[]) => Promise<Response>;
declare const request: Request;
declare const app: {
  fetch(request: Request, env: Env): Promise<Response>;
  use(handler: (context: any, next: () => Promise<void>) => unknown): unknown;
  all(path: string, handler: (context: any, ...more: any[]) => unknown): unknown;
  config: { errorHandler?: (error: unknown) => void };
};
declare const router: { onError(handler: (error: unknown) => void): unknown };
declare const routePath: any;
declare const createRoot: any;
declare const RouterProvider: any;
declare const element: any;
declare class ErrorHandler { handleError(error: any): void; }
declare const App: unknown;
declare function bootstrapApplication(component: unknown, config: { providers: unknown[] }): Promise<unknown>;
declare const Deno: { serve(handler: (request: Request) => Response | Promise<Response>): unknown };
declare const Bun: { serve(options: { fetch: (request: Request) => Response | Promise<Response> }): unknown };
declare const render: () => void;
declare const showSorry: () => void;
declare const token: () => Promise<string>;
declare const tenantOf: (project: string | undefined) => string;
declare const http: typeof import('node:http');
declare const [endpoint, bucket, accessKeyId, secretAccessKey, authorization, key]: string[] & Record<number, string>;
declare const size: number;
declare const bytes: ReturnType<Uint8Array['slice']>;
declare const spandrel: import('spandrel').Spandrel;
declare const exporter: import('spandrel').TraceExporter;
declare const destination: import('spandrel').Destination;
declare const ingest: ReturnType<typeof import('spandrel/server').createIngest>;
declare const error: unknown;
declare const worker: Worker;
declare const spans: import('spandrel/events').EventSpans;
declare const s3Event: (objects: readonly { key: string; size?: number }[], options: { bucket: string }) => object;
declare const storage: import('spandrel/server').Storage;
declare const options: import('spandrel/server').IngestOptions;
declare namespace NodeJS {
  interface ProcessEnv {
    SPANDREL_S3_ENDPOINT: string;
    SPANDREL_BUCKET: string;
    AWS_ACCESS_KEY_ID: string;
    AWS_SECRET_ACCESS_KEY: string;
  }
}
declare namespace JSX { interface IntrinsicElements { [name: string]: unknown } interface ElementClass {} }
`;

/** The entries as a CommonJS module has them. */
const COMMONJS = `${ENTRIES.map((entry, at) => `import e${at} = require('${entry}');`).join('\n')}
export = [e0.start, e1.instrument, e2.otlp, e3.EventSpans, e4.forward, e5.createIngest];
`;

/** What the READMEs use of others without saying once more where it is from. */
const OF_OTHERS = {
  registerInstrumentations: '@opentelemetry/instrumentation',
  trace: '@opentelemetry/api',
  WebTracerProvider: '@opentelemetry/sdk-trace-web',
};

/** @typedef {'node16' | 'nodenext' | 'bundler' | 'node10'} Kind */

/** @type {Record<Kind, object>} */
const SETTINGS = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
  node10: { module: 'esnext', moduleResolution: 'node10' },
};

/** @type {Record<Kind, string[]>} */
const EXTENSIONS = {
  ...{ node16: ['ts', 'tsx', 'cts'], nodenext: ['ts', 'tsx', 'cts'] },
  ...{ bundler: ['ts', 'tsx'], node10: ['ts', 'tsx'] },
};

let folder = '';
let remove = async () => {};
/** @type {string[]} */
let snippets = [];
before(async () => {
  const beside = [
    '@opentelemetry/instrumentation',
    '@opentelemetry/otlp-transformer',
    '@types/node',
    'hono',
    'unplugin',
  ];
  ({ folder, remove } = await install(beside));
  snippets = await writeSnippets();
});
after(() => remove());

/** @returns {Promise<string[]>} The names of the files. */
async function writeSnippets() {
  const owner = pathToFileURL(path.join(folder, 'index.js'));
  await writeFile(
    path.join(folder, 'names.mjs'),
    ENTRIES.map((name, at) => `export * as e${at} from '${name}';`).join('\n'),
  );
  const modules = Object.values(await import(new URL('names.mjs', owner).href));
  const exported = new Map(ENTRIES.map((entry, at) => [entry, Object.keys(modules[at] ?? {})]));
  await mkdir(path.join(folder, 'snippets'));
  await writeFile(path.join(folder, 'given.d.ts'), GIVEN);
  await writeFile(path.join(folder, 'snippets', 'commonjs.cts'), COMMONJS);
  const written = [];
  for (const readme of await readmes()) {
    const text = await readFile(new URL(readme, root), 'utf8');
    const own = `spandrel/${path.basename(path.dirname(readme))}`;
    const order = exported.has(own) ? [own, 'spandrel/server'] : ENTRIES;
    for (const { kind, code } of snippetsOf(text)) {
      const line = text.slice(0, text.indexOf(code)).split('\n').length;
      const name = `${readme.replace(/\W+/g, '-')}-${line}.${kind}`;
      const ours = new Map(
        order.toReversed().flatMap((entry) => (exported.get(entry) ?? []).map((one) => [one, entry])),
      );
      const known = { ...Object.fromEntries(ours), ...OF_OTHERS };
      await writeFile(path.join(folder, 'snippets', name), `${importsFor(code, known)}${code}\nexport {};\n`);
      written.push(name);
    }
  }
  return written;
}

/** @param {string} text Of a README. @returns {{ kind: string, code: string }[]} By the extension of its file. */
function snippetsOf(text) {
  const blocks = [...text.matchAll(/^```(tsx?|m?js|html)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, kind = '', code = '']) => {
    if (/^ts/.test(kind)) return [{ kind, code }];
    const modules = /<script type="module">\n?([\s\S]*?)<\/script>/g;
    const found = kind === 'html' ? [...code.matchAll(modules)].map(([, inner = '']) => inner) : [code];
    return found.map((code) => ({ kind: 'mjs', code }));
  });
}

/**
 * A snippet goes on from those before it: what it uses and does not import is found by its name.
 *
 * @param {string} code
 * @param {Readonly<Record<string, string>>} known
 */
function importsFor(code, known) {
  const bare = code.replace(/\/\/.*|\/\*[\s\S]*?\*\/|'[^']*'/g, '');
  const names = new Set(bare.match(/(?<![.\w])[A-Za-z]\w*(?!\w*:)/g));
  const declared = bare.match(/\b(?:import|const|let)\s+(?:\{[^}]*\}|\w+)/g)?.join(' ') ?? '';
  const missing = [...names].filter(
    (name) => Object.hasOwn(known, name) && !new RegExp(`\\b${name}\\b`).test(declared),
  );
  return missing.map((name) => `import { ${name} } from '${known[name]}';\n`).join('');
}

/** @returns {Promise<string[]>} */
async function readmes() {
  const names = await readdir(new URL('src', root), { recursive: true });
  const pages = names
    .filter((name) => name.endsWith('.md'))
    .map((name) => `src/${name.replaceAll('\\', '/')}`);
  return ['README.md', ...pages, 'demo/worker/README.md'];
}

const own = fileURLToPath(new URL('node_modules/typescript', root));
const ALL = /** @type {Kind[]} */ (Object.keys(SETTINGS));
/** @type {Record<string, Kind[]>} */
const TRIED = {
  '5.0.4': ALL,
  '5.4.5': ALL,
  '5.9.3': ALL,
  // It has no `node10`.
  newest: ['node16', 'nodenext', 'bundler'],
};
for (const [version, kinds] of Object.entries(TRIED)) {
  for (const kind of kinds) {
    test(`types: each snippet compiles with TypeScript ${version}, ${kind}`, async () => {
      assert.ok(snippets.length > 25, snippets.join(' '));
      const name = `${version}-${kind}`;
      await writeFile(
        path.join(folder, `${name}.json`),
        JSON.stringify({
          compilerOptions: {
            ...{ target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], types: ['node'], jsx: 'preserve' },
            ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
            ...SETTINGS[kind],
          },
          include: ['given.d.ts', ...EXTENSIONS[kind].map((one) => `snippets/*.${one}`)],
        }),
      );
      const compiler = version === 'newest' ? own : ensureTool('typescript', version);
      await compile(compiler, name);
    });
  }
}

test('types: each snippet of JavaScript, and what `spandrel init` writes, is checked and is syntax that Node knows', async () => {
  const scripts = snippets.filter((name) => name.endsWith('.mjs')).map((name) => `snippets/${name}`);
  assert.ok(scripts.length >= 4, scripts.join(' '));
  // Beside the packages that they import.
  await cp(path.join(folder, 'node_modules/spandrel/dist/init'), path.join(folder, 'init'), {
    recursive: true,
  });
  const written = ['node/endpoint.mjs', 'hono/server.mjs', 'workers/worker.js'].map((name) => `init/${name}`);
  const files = [...scripts, ...written];
  await writeFile(
    path.join(folder, 'javascript.json'),
    JSON.stringify({
      compilerOptions: {
        ...{ target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], types: ['node'], noEmit: true },
        // What packages of others declare of bundlers that are not there is not ours.
        ...{ allowJs: true, checkJs: true, strict: true, noImplicitAny: false, skipLibCheck: true },
        ...SETTINGS.nodenext,
      },
      files: ['given.d.ts', ...files],
    }),
  );
  await compile(own, 'javascript');
  for (const file of files) await run(process.execPath, ['--check', file], { cwd: folder });
});

/**
 * @param {string} compiler Its folder.
 * @param {string} name
 */
async function compile(compiler, name) {
  const tsc = path.join(compiler, 'bin/tsc');
  await run(process.execPath, [tsc, '-p', path.join(folder, `${name}.json`)], { cwd: folder }).catch(
    (error) => assert.fail(error.stdout || error),
  );
}
