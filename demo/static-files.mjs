import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

/** @type {Record<string, string>} */
const MIME_TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webp': 'image/webp',
};

/** @param {string} file */
const isFile = async (file) => (await stat(file).catch(() => undefined))?.isFile() ?? false;

/**
 * Finds the file behind a URL path. Only what is named is reachable: no `..`, no link that leads out of its folder.
 *
 * @param {string} pathname As in the URL, percent-encoded.
 * @param {Record<string, URL>} folders By path with slashes around it; the folder's `index.html` stands for itself.
 * @param {Record<string, URL>} files By whole path.
 * @returns {Promise<string | undefined>}
 */
export async function findFile(pathname, folders, files) {
  const file = files[pathname];
  if (file) return fileURLToPath(file);
  const mount = Object.keys(folders).find((prefix) => pathname.startsWith(prefix));
  const folder = mount === undefined ? undefined : folders[mount];
  if (mount === undefined || folder === undefined) return undefined;
  let name;
  try {
    name = decodeURIComponent(pathname.slice(mount.length)) || 'index.html';
  } catch {
    return undefined;
  }
  if (name.includes('\0')) return undefined;
  const root = await realpath(fileURLToPath(folder)).catch(() => undefined);
  const found = root && (await realpath(path.join(root, name)).catch(() => undefined));
  return root && found?.startsWith(root + path.sep) && (await isFile(found)) ? found : undefined;
}

/** @param {string} file */
const typeOf = (file) => MIME_TYPES[path.extname(file)] ?? 'application/octet-stream';

/**
 * The same as {@link sendFile} for `fetch`-style runtimes.
 *
 * @param {string | undefined} file Undefined: there is none.
 * @param {(type: string) => Record<string, string>} headersFor
 */
export async function fileResponse(file, headersFor) {
  if (file === undefined) return new Response('Not found', { status: 404 });
  const type = typeOf(file);
  return new Response(await readFile(file), { headers: { 'content-type': type, ...headersFor(type) } });
}

/**
 * Answers with a file.
 *
 * @param {string} file
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 * @param {(type: string) => Record<string, string>} headersFor Further headers, by content type.
 * @param {number} [status] Default 200.
 */
export async function sendFile(file, req, res, headersFor, status = 200) {
  const type = typeOf(file);
  const { size } = await stat(file);
  res.writeHead(status, { 'content-type': type, 'content-length': size, ...headersFor(type) });
  if (req.method === 'HEAD') res.end();
  else await pipeline(createReadStream(file), res);
}
