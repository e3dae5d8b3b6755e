/**
 * A plugin for Vite, Rollup, Rolldown, webpack, Rspack and esbuild: says the release, and puts source maps into the bucket
 * in the place of publishing them.
 */
import path from 'node:path';
import { createUnplugin } from 'unplugin';
import { storeBuiltMaps } from './cli/maps/after-build.js';
import { isRelease, RELEASE_TAKES } from './maps/map-key.js';
import { DEFAULT_PROJECT, isKeySegment } from './object-key.js';
import type { Storage } from './server/storage.js';

export interface SpandrelPluginOptions {
  /**
   * What pages say as `service.version`, by `import { release } from 'spandrel/release'`: 1 to 128 letters, digits and
   * `. _ + @ -`, the first a letter or digit. Default: the variable `SPANDREL_RELEASE`.
   */
  release?: string | undefined;
  /** As the pages say it. Default `default`. */
  project?: string | undefined;
  /**
   * The bucket of the traces, by `s3()` of `spandrel/server`: builds then make maps, which are uploaded, and removed from
   * what is published. Absent: maps are as the bundler's own settings want them.
   */
  storage?: Pick<Storage, 'put'> | undefined;
  /** Leaves maps in what is published as well. Default false. */
  keepMaps?: boolean | undefined;
}

/** A plugin of Vite, Rollup and Rolldown. */
export interface RollupLikePlugin {
  name: string;
}

/** A plugin of webpack and Rspack. */
export interface WebpackLikePlugin {
  // biome-ignore lint/suspicious/noExplicitAny: the compiler is the bundler's, whose types are not ours to require
  apply(compiler: any): void;
}

export interface EsbuildPlugin {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  setup(build: any): void | Promise<void>;
}

const NAME = 'spandrel';
const MODULE = 'spandrel/release';
const RESOLVED = '\0spandrel-release';

interface Settings {
  release: string;
  project: string;
  storage: Pick<Storage, 'put'> | undefined;
  keepMaps: boolean;
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
function checkOptions(options: SpandrelPluginOptions = {}): Settings {
  const {
    release = process.env['SPANDREL_RELEASE'],
    project = DEFAULT_PROJECT,
    storage,
    keepMaps = false,
  } = options;
  const refuse = (name: string, value: unknown, takes: string): never => {
    const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : typeof value;
    throw new TypeError(`spandrel/plugin: option "${name}" got ${got}; it takes ${takes}`);
  };
  if (!isRelease(release)) return refuse('release', release, `${RELEASE_TAKES}, here or in SPANDREL_RELEASE`);
  if (typeof project !== 'string' || !isKeySegment(project)) {
    return refuse('project', project, '1 to 64 letters, digits and . _ -, the first a letter or digit');
  }
  if (storage !== undefined && typeof storage?.put !== 'function') {
    return refuse('storage', storage, 's3() of spandrel/server, or an object with put');
  }
  if (typeof keepMaps !== 'boolean') return refuse('keepMaps', keepMaps, 'true or false');
  return { release, project, storage, keepMaps };
}

/** What of a bundler's own objects is used here. */
interface RollupOutput {
  dir?: string;
  file?: string;
  sourcemap?: boolean | 'inline' | 'hidden';
  sourcemapDebugIds?: boolean;
}
interface Compiler {
  options: { devtool?: string | false };
  watchMode?: boolean;
  hooks: { afterEmit: { tapPromise(name: string, run: (compilation: Compilation) => Promise<void>): void } };
}
interface Compilation {
  outputOptions: { path?: string };
  getAssets(): Iterable<{ name: string }>;
}
interface EsbuildBuild {
  initialOptions: {
    outdir?: string;
    outfile?: string;
    absWorkingDir?: string;
    write?: boolean;
    metafile?: boolean;
    sourcemap?: unknown;
  };
  onEnd(run: (result: { metafile?: { outputs: object }; errors: unknown[] }) => Promise<void>): void;
}

const plugin = createUnplugin<SpandrelPluginOptions | undefined>((options) => {
  const { storage, keepMaps, ...names } = checkOptions(options);
  const store = async (folder: string, files: readonly string[]): Promise<void> => {
    if (storage) await storeBuiltMaps({ storage, keepMaps, ...names, folder, files });
  };
  /** Without a comment that names them, where they will not be there. */
  const maps = <Given>(given: Given): Given | 'hidden' => (keepMaps && given ? given : 'hidden');

  const rollup = {
    outputOptions: (output: RollupOutput): RollupOutput | null =>
      storage ? { ...output, sourcemap: maps(output.sourcemap ?? false), sourcemapDebugIds: true } : null,
    async writeBundle(
      this: { meta: { watchMode?: boolean } },
      { dir, file }: RollupOutput,
      bundle: object,
    ): Promise<void> {
      if (!this.meta.watchMode) await store(dir ?? path.dirname(file ?? ''), Object.keys(bundle));
    },
  };

  const webpack = (compiler: Compiler): void => {
    if (!storage) return;
    compiler.options.devtool = keepMaps ? 'source-map' : 'hidden-source-map';
    compiler.hooks.afterEmit.tapPromise(NAME, async (compilation) => {
      const { path: folder } = compilation.outputOptions;
      if (compiler.watchMode || folder === undefined) return;
      await store(
        folder,
        Array.from(compilation.getAssets(), ({ name }) => name),
      );
    });
  };

  return {
    name: NAME,
    // Before what would find the file that says nothing.
    enforce: 'pre',
    resolveId: { filter: { id: /^spandrel\/release$/ }, handler: (id) => (id === MODULE ? RESOLVED : null) },
    load: {
      filter: { id: /^\0spandrel-release$/ },
      handler: (id) =>
        id === RESOLVED ? `export const release = ${JSON.stringify(names.release)};\n` : null,
    },
    rollup: rollup as object,
    rolldown: rollup as object,
    vite: {
      ...(rollup as object),
      // Minifiers keep maps only where Vite is told of them.
      config: (_: unknown, { command }: { command: string }) =>
        storage && command === 'build'
          ? { build: { sourcemap: keepMaps || ('hidden' as const) } }
          : undefined,
    } as object,
    webpack: webpack as never,
    rspack: webpack as never,
    esbuild: { onResolveFilter: /^spandrel\/release$/, setup: (build) => setUpEsbuild(build as never) },
  };

  function setUpEsbuild({ initialOptions, onEnd }: EsbuildBuild): void {
    const { outdir, outfile, absWorkingDir = process.cwd(), write = true } = initialOptions;
    if (!storage || !write) return;
    initialOptions.metafile = true;
    initialOptions.sourcemap = keepMaps && initialOptions.sourcemap ? initialOptions.sourcemap : 'external';
    const folder = path.resolve(absWorkingDir, outdir ?? path.dirname(outfile ?? ''));
    onEnd(async ({ metafile, errors }) => {
      if (errors.length > 0) return;
      const files = Object.keys(metafile?.outputs ?? {}).map((file) => path.resolve(absWorkingDir, file));
      await store(
        folder,
        files.map((file) => path.relative(folder, file).split(path.sep).join('/')),
      );
    });
  }
});

type Make<Plugin> = (options?: SpandrelPluginOptions) => Plugin;

export const vite: Make<RollupLikePlugin> = plugin.vite as Make<RollupLikePlugin>;
export const rollup: Make<RollupLikePlugin> = plugin.rollup as Make<RollupLikePlugin>;
export const rolldown: Make<RollupLikePlugin> = plugin.rolldown as Make<RollupLikePlugin>;
export const webpack: Make<WebpackLikePlugin> = plugin.webpack as Make<WebpackLikePlugin>;
export const rspack: Make<WebpackLikePlugin> = plugin.rspack as Make<WebpackLikePlugin>;
export const esbuild: Make<EsbuildPlugin> = plugin.esbuild as Make<EsbuildPlugin>;
