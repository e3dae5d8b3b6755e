import { readFile } from 'node:fs/promises';
import * as playwright from '@playwright/test';
import { listen } from '../../../demo/mock-r2/listen.mjs';
import { ensureBrowsers, findBrowser } from '../../support/browsers.mjs';

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
  const browser = await playwright[name].launch({
    ...(use.channel && { channel: use.channel }),
    ...use.launchOptions,
  });
  try {
    const page = await browser.newPage();
    /** @type {string[]} */
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(url);
    await page.waitForFunction('globalThis.play', undefined, { timeout: 10_000 }).catch(() => {
      throw new Error(`the page did not load: ${errors.join('; ')}`);
    });
    return {
      origin: url,
      said: () => errors.join('\n'),
      play: (slug) => page.evaluate((name) => /** @type {any} */ (globalThis).play(name), slug),
      takeTroubles: async () => [
        ...errors.splice(0),
        ...(await page.evaluate(() => /** @type {any} */ (globalThis).takeTroubles())),
      ],
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
