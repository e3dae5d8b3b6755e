/** axe-core on a page as it stands. */
import type { Page } from '@playwright/test';
import checker, { type RunOptions } from 'axe-core';
import { expect } from './fixtures.js';

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const RULES: RunOptions = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  // Still an experiment of axe's, and right: who speaks to a page says what stands on its buttons.
  rules: { 'label-content-name-mismatch': { enabled: true } },
  resultTypes: ['violations'],
};

/** Looks at a page in each size and colour. */
export async function expectNoViolations(page: Page, name: string): Promise<void> {
  await page.evaluate(checker.source);
  for (const size of [PHONE, DESK]) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      // What depends on what is in sight has been told, and drawn.
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
      const { violations } = await page.evaluate((rules) => globalThis.axe.run(rules), RULES);
      const told = violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`),
      );
      expect(told, `${name}, ${size.width} px, ${colorScheme}`).toEqual([]);
    }
  }
}

declare global {
  var axe: typeof import('axe-core');
}
