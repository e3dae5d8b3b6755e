import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { MapCache } from '../../maps/map-cache.js';
import { messageOf } from '../failure.js';
import type { Overview } from './overview/overview.js';
import type { ViewObject, ViewSource } from './source.js';
import { answerStacks } from './stacks.js';

const PAGE_OBJECT_COUNT = 200;
/** A page on the net can point a name of its own at 127.0.0.1; it must not read traces that way. */
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const HEADERS = {
  'content-security-policy': CSP,
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Static files by their path in the address; all else of the viewer is a file name below `/viewer/`. */
const FILES: Record<string, string> = {
  '/viewer/': 'index.html',
  '/style.css': 'style.css',
  '/icon.svg': 'icon.svg',
  '/vendor/preact.js': 'preact.js',
  '/vendor/uplot.js': 'uplot.js',
  '/vendor/uplot.css': 'uplot.css',
};
/** For who mistypes the address. */
const LOST_PAGE = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <meta name="viewport" content="width=device-width, initial-scale=1" />
  <title>No such page · Spandrel</title>
  <link rel="stylesheet" href="/style.css" />
  <main class="lost">
    <h1>No such page</h1>
    <p><a href="/viewer/">To the traces</a></p>
  </main>
</html>
`;

export interface ViewServerOptions {
  source: ViewSource;
  /** Answers for `/viewer/api/overview`. */
  overview: Overview;
  /** By which stacks are resolved; absent where there is no bucket to look for maps in. */
  maps?: MapCache | undefined;
  /** The viewer's own files. */
  files: string;
  /** 0 for a free one. */
  port: number;
  /** How often the source is looked at while a page watches, milliseconds. */
  intervalMillis: number;
  /** Told of what the source fails with. */
  onError(message: string): void;
}

/**
 * Serves the viewer on 127.0.0.1, read-only. The API is that of the demo: see `demo/viewer-api.mjs`.
 *
 * Rejects when the port is taken.
 */
export async function serveViewer({
  source,
  overview,
  maps,
  files,
  port,
  intervalMillis,
  onError,
}: ViewServerOptions): Promise<{ origin: string; close(): Promise<void> }> {
  const watchers = new Set<http.ServerResponse>();
  let known: Set<string> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const list = async (): Promise<ViewObject[]> => {
    const objects = await source.list();
    known = new Set(objects.map(({ key }) => key));
    return objects;
  };

  /** Tells who watches of what is new, and comes again while anybody does. */
  const look = async (): Promise<void> => {
    const before = known;
    try {
      const fresh = (await list()).filter(({ key }) => before && !before.has(key));
      for (const object of fresh.reverse()) {
        for (const watcher of watchers) watcher.write(`data: ${JSON.stringify(object)}\n\n`);
      }
    } catch (error) {
      onError(messageOf(error));
    }
    timer = watchers.size ? setTimeout(() => void look(), intervalMillis) : undefined;
  };

  const watch = (res: http.ServerResponse): void => {
    res.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' }).write('retry: 1000\n\n');
    watchers.add(res);
    res.once('close', () => watchers.delete(res));
    timer ??= setTimeout(() => void look(), intervalMillis);
  };

  const answer = async (req: http.IncomingMessage, res: http.ServerResponse): Promise<void> => {
    const json = (status: number, value: unknown): void =>
      void res
        .writeHead(status, { ...HEADERS, 'content-type': 'application/json' })
        .end(JSON.stringify(value));
    if (!LOOPBACK_HOST.test(req.headers.host ?? '')) return json(403, { error: 'Loopback only.' });
    if (req.headers['sec-fetch-site'] === 'cross-site' && req.headers['sec-fetch-mode'] !== 'navigate') {
      return json(403, { error: 'For the viewer only.' });
    }
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://host');
    if (pathname === '/viewer/api/stacks' && req.method === 'POST' && maps) {
      const stacks = await answerStacks(maps, req);
      return stacks ? json(200, { stacks }) : json(400, { error: 'Up to 100 stacks, as JSON.' });
    }
    if (req.method !== 'GET' && req.method !== 'HEAD') return json(405, { error: 'GET only.' });
    if (pathname === '/' || pathname === '/viewer')
      return void res.writeHead(302, { ...HEADERS, location: '/viewer/' }).end();
    if (pathname === '/viewer/api/events') return watch(res);
    if (pathname === '/viewer/api/objects') {
      const objects = await list();
      const from = objects.findIndex(({ key }) => key === searchParams.get('after')) + 1;
      const to = from + PAGE_OBJECT_COUNT;
      return json(200, { objects: objects.slice(from, to), more: to < objects.length });
    }
    if (pathname === '/viewer/api/object') {
      const bytes = await source.get(searchParams.get('key') ?? '');
      if (!bytes) return json(404, { error: 'No such object.' });
      const headers = {
        ...HEADERS,
        'content-type': 'application/octet-stream',
        'content-length': bytes.byteLength,
      };
      return void res.writeHead(200, headers).end(bytes);
    }
    if (/^\/viewer\/api\/overview(\/|$)/.test(pathname)) {
      const { status, body } = await overview.answer(
        pathname.slice('/viewer/api/overview'.length),
        searchParams,
      );
      return json(status, body);
    }
    if (pathname === '/viewer/about.mjs') {
      const about = `export const ABOUT = ${JSON.stringify({ source: source.name, shopUrl: '', maps: maps !== undefined })};\n`;
      return void res.writeHead(200, { ...HEADERS, 'content-type': TYPES['.mjs'] }).end(about);
    }
    const name = FILES[pathname] ?? /^\/viewer\/([\w-]+\.(?:mjs|css))$/.exec(pathname)?.[1];
    const bytes = name && (await readFile(path.join(files, name)).catch(() => undefined));
    if (!name || !bytes) {
      if (!req.headers.accept?.includes('text/html')) return json(404, { error: 'Not found.' });
      return void res.writeHead(404, { ...HEADERS, 'content-type': TYPES['.html'] }).end(LOST_PAGE);
    }
    res.writeHead(200, { ...HEADERS, 'content-type': TYPES[path.extname(name)] ?? 'text/plain' }).end(bytes);
  };

  const server = http.createServer((req, res) => {
    answer(req, res).catch((error: unknown) => {
      onError(messageOf(error));
      if (res.headersSent) res.destroy();
      else res.writeHead(502, HEADERS).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
