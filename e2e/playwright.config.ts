import { defineConfig } from '@playwright/test';
import { BROWSER_NAMES, findBrowser } from './support/browsers.mjs';

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.ts',
  outputDir: '../test-results',
  globalSetup: './support/vendor.mjs',
  // Browsers are heavy, and timing on an overloaded machine says nothing.
  workers: 2,
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  timeout: 45_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['./support/closing-line.mjs']],
  projects: BROWSER_NAMES.map((name) => ({ name, use: findBrowser(name) ?? { browserName: name } })),
});
