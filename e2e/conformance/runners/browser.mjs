import { readFile } from 'node:fs/promises';
import { chromium, firefox } from '@playwright/test';
import { listen } from '../../../demo/mock-r2/listen.mjs';
import { ensureBrowsers, findBrowser } from '../../support/browsers.mjs';

const LOAD_MILLIS = 10_000;

/** A server for one page, whose origin has to be known before there is a bundle. */
export async function openSite() {
  let script = '';
  const server = await listen((req, res) => {
    const isScript = req.url === '/page.mjs';
    res.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    res.end(
      isScript
        ? script
        : '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.mjs"></script>',
    );
  });
  return {
    origin: server.origin,
    /** @param {string} file */
    async setScript(file) {
      script = await readFile(file, 'utf8');
    },
    close: server.close,
  };
}

/**
 * @param {import('../../support/browsers.mjs').BrowserName} name
 * @param {string} url
 * @returns {Promise<import('./index.mjs').Runtime>}
 */
export async function startBrowser(name, url) {
  ensureBrowsers();
  const use = findBrowser(name);
  if (!use) throw new Error(`no ${name}`);
  const browser = await { chromium, firefox }[name].launch({
    ...(use.channel && { channel: use.channel }),
    ...use.launchOptions,
  });
  /** @type {string[]} */
  const errors = [];
  const page = await browser.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  const load = async () => {
    await page.goto(url);
    await page.waitForFunction('globalThis.play', undefined, { timeout: LOAD_MILLIS }).catch(() => {
      throw new Error(`the page did not load: ${errors.join('; ')}`);
    });
  };
  try {
    await load();
  } catch (error) {
    await browser.close();
    throw error;
  }
  return {
    origin: url,
    said: () => errors.join('\n'),
    async play(slug) {
      await page.evaluate(async () => {
        for (const { name = '' } of await indexedDB.databases())
          await new Promise((resolve) => {
            const request = indexedDB.deleteDatabase(name);
            request.onsuccess = request.onerror = request.onblocked = resolve;
          });
        localStorage.clear();
      });
      await load();
      return page.evaluate((name) => /** @type {any} */ (globalThis).play(name), slug);
    },
    takeTroubles: async () => [
      ...errors.splice(0),
      ...(await page.evaluate(() => /** @type {any} */ (globalThis).takeTroubles())),
    ],
    close: () => browser.close(),
  };
}
