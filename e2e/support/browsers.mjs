// Where the browsers of the suite are, and how they are got where there are none.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium, firefox } from '@playwright/test';
import { installPackages } from './debian.mjs';

/**
 * @typedef {'chromium' | 'firefox'} BrowserName
 * @typedef {object} BrowserUse What a Playwright project takes under `use`.
 * @property {BrowserName} browserName
 * @property {'moz-firefox'} [channel]
 * @property {{ executablePath: string }} [launchOptions] Absent for Playwright's own build.
 */

/** @type {readonly BrowserName[]} */
export const BROWSER_NAMES = ['chromium', 'firefox'];

/** Where Linux distributions put them. Firefox's own builds are driven over WebDriver BiDi. */
const SYSTEM_PATHS = {
  chromium: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  firefox: ['/usr/bin/firefox-esr'],
};
const DEBIAN_PACKAGES = ['chromium', 'firefox-esr'];
const DEBIAN_WEBKIT_PACKAGES = ['webkit2gtk-driver', 'xvfb', 'xauth'];
const WEBKIT_PATHS = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (machine) => `/usr/lib/${machine}/webkit2gtk-4.1/MiniBrowser`,
);
const DISPLAY_PATH = '/usr/bin/Xvfb';

/**
 * Finds a browser: the system's, else Playwright's own.
 *
 * @param {BrowserName} name
 * @returns {BrowserUse | undefined} Undefined when there is none.
 */
export function findBrowser(name) {
  const executablePath = SYSTEM_PATHS[name].find((file) => existsSync(file));
  if (executablePath) {
    const launchOptions = { executablePath };
    return name === 'firefox'
      ? { browserName: name, channel: 'moz-firefox', launchOptions }
      : { browserName: name, launchOptions };
  }
  const own = { chromium, firefox }[name].executablePath();
  return existsSync(own) ? { browserName: name } : undefined;
}

/**
 * Finds WebKitGTK's own browser, which comes with its driver, where there is also a display to run it on.
 *
 * @returns {string | undefined} Its path.
 */
export const findWebKit = () =>
  existsSync(DISPLAY_PATH) ? WEBKIT_PATHS.find((file) => existsSync(file)) : undefined;

const missing = () => BROWSER_NAMES.filter((name) => !findBrowser(name));

/** @param {string} command @param {string[]} args */
const run = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;

/**
 * Sees to it that every browser is there: those present, else Playwright's download, else Debian's packages where
 * this is root.
 *
 * @throws {Error} that says what to install by hand.
 */
export function ensureBrowsers() {
  if (missing().length === 0) return;
  const cli = path.join(path.dirname(createRequire(import.meta.url).resolve('@playwright/test')), 'cli.js');
  run(process.execPath, [cli, 'install', ...missing()]);
  if (missing().length > 0) installPackages(DEBIAN_PACKAGES);
  if (missing().length > 0) {
    throw new Error(
      `No ${missing().join(' and no ')} for the end-to-end tests. Run "npx playwright install --with-deps ` +
        `${missing().join(' ')}", or install the packages ${DEBIAN_PACKAGES.join(' and ')}.`,
    );
  }
}

/**
 * The same for WebKitGTK: what is there, else Debian's packages where this is root.
 *
 * @throws {Error} that says what to install by hand.
 */
export function ensureWebKit() {
  if (!findWebKit()) installPackages(DEBIAN_WEBKIT_PACKAGES);
  if (!findWebKit())
    throw new Error(`No WebKitGTK or no Xvfb. Install the packages ${DEBIAN_WEBKIT_PACKAGES.join(', ')}.`);
}
