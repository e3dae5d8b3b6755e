/** What `spandrel init` writes, for each place that an endpoint may run in. */

export interface InitFile {
  /** Below the folder that it is written to, with slashes. */
  path: string;
  /** The template below `files/`. */
  template: string;
  /** What it is, in a few words. */
  about: string;
}

export interface Recipe {
  files: readonly InitFile[];
  /** What is left to do, in order: command lines, and words where there is no command. */
  next: readonly string[];
}

const ORIGIN = 'http://localhost:8787';
const ENV: InitFile = { path: '.env.example', template: 'env.example', about: 'which bucket, and its key' };
const page = (path: string): InitFile => ({
  ...{ path, template: 'page.html' },
  about: 'a page to try it with; its script tag goes into your pages',
});
const fillIn = 'cp .env.example .env, and fill it in; keep .env out of your repository';
/** The command, with the variables of the file. */
const withEnv = (words: string): string => `node --env-file=.env node_modules/spandrel/dist/cli.js ${words}`;
const look = [
  withEnv(`doctor --endpoint ${ORIGIN}/spandrel --fix`),
  `open ${ORIGIN}, click, and look at it: ${withEnv('view --open')}`,
];

export const RECIPES: Readonly<Record<string, Recipe>> = {
  workers: {
    files: [
      { path: 'worker.js', template: 'workers/worker.js', about: 'the endpoint' },
      { path: 'wrangler.toml', template: 'workers/wrangler.toml', about: 'how it runs at Cloudflare' },
      page('public/index.html'),
      ENV,
    ],
    next: ['npm install spandrel', fillIn, 'npx wrangler dev --port 8787', ...look],
  },
  node: {
    files: [
      {
        path: 'endpoint.mjs',
        template: 'node/endpoint.mjs',
        about: 'the endpoint, and a server for the page',
      },
      page('page.html'),
      ENV,
    ],
    next: ['npm install spandrel', fillIn, 'node --env-file=.env endpoint.mjs', ...look],
  },
  hono: {
    files: [
      { path: 'server.mjs', template: 'hono/server.mjs', about: 'a Hono app with the endpoint' },
      page('page.html'),
      ENV,
    ],
    next: ['npm install spandrel hono', fillIn, 'node --env-file=.env server.mjs', ...look],
  },
};
