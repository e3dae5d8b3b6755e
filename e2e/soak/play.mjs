import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from '@playwright/test';
import { compareDelivery, createReader } from '../faults/delivery.mjs';
import { startSite } from '../faults/site.mjs';
import { findBrowser } from '../support/browsers.mjs';
import { measurePage } from './measure.mjs';
import { createRandom, drawTrouble } from './troubles.mjs';

/**
 * @typedef {import('./measure.mjs').Sample} Sample
 * @typedef {{ samples: Sample[], emitted: number, missing: string[], deliveredMillis: number }} Soaked
 */

/** A user who does something. */
const EMIT_MILLIS = 500;
const SAMPLE_MILLIS = 10_000;
/** Retries wait for up to a minute. */
const END_MILLIS = 90_000;
/** A tab's spans are written down by then, however it is closed. */
const KEPT_MILLIS = 500;
/** When the page is loaded anew: what it warms up is over before growth is judged. */
const RELOAD_AT = 0.3;
/** Few at a time: a page that is not asked for much must not outgrow what its outbox takes. */
const SPANS = 3;

/**
 * One page for as long as it takes, in Chromium, with trouble all the while.
 *
 * @param {{ minutes: number, seed: number, onSample?: (sample: Sample) => void }} options
 * @returns {Promise<Soaked>}
 */
export async function soak({ minutes, seed, onSample = () => {} }) {
  const profile = await mkdtemp(path.join(tmpdir(), 'spandrel-soak-'));
  const site = await startSite({ isTls: false });
  const executablePath = findBrowser('chromium')?.launchOptions?.executablePath;
  const context = await chromium.launchPersistentContext(profile, executablePath ? { executablePath } : {});
  try {
    return await run({ site, context, millis: minutes * 60_000, random: createRandom(seed), onSample });
  } finally {
    await context.close().catch(() => {});
    await site.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * @param {object} parts
 * @param {import('../faults/site.mjs').Site} parts.site
 * @param {import('@playwright/test').BrowserContext} parts.context
 * @param {number} parts.millis
 * @param {() => number} parts.random
 * @param {(sample: Sample) => void} parts.onSample
 * @returns {Promise<Soaked>}
 */
async function run({ site, context, millis, random, onSample }) {
  const { mock, shopUrl } = site;
  /** @type {Set<string>} */
  const emitted = new Set();
  const readObjects = createReader(mock.bucket);
  const delivery = async () => compareDelivery(emitted, await readObjects());
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(shopUrl);
  const session = await context.newCDPSession(page);
  const startedAtMillis = Date.now();
  const passed = () => Date.now() - startedAtMillis;
  /** @type {Sample[]} */
  const samples = [];

  /** @param {import('@playwright/test').Page} tab */
  const emit = async (tab) => {
    const name = `at ${emitted.size}`;
    emitted.add(`${name} 1`);
    for (let span = 2; span <= SPANS; span++) emitted.add(`${name} 1.${span}`);
    await tab.evaluate(`emit(${JSON.stringify(name)}, 1, ${SPANS})`);
  };
  /** @param {number} forMillis */
  const work = async (forMillis) => {
    const untilMillis = passed() + forMillis;
    while (passed() < untilMillis) {
      await emit(page);
      await delay(EMIT_MILLIS);
    }
  };
  const sample = async () => {
    const { missing, unexpected, ...stored } = await delivery();
    const taken = {
      ...{ atMillis: passed(), ...stored, unexpected: unexpected.length },
      storedSpans: emitted.size - missing.length,
      ...(await measurePage(page, session)),
    };
    samples.push(taken);
    onSample(taken);
  };

  /** @param {number} forMillis Opens a tab, works in both, and closes it. */
  const otherTab = async (forMillis) => {
    const tab = await context.newPage();
    await tab.goto(shopUrl);
    await emit(tab);
    await work(forMillis);
    await emit(tab);
    await delay(KEPT_MILLIS);
    // As a user does, or as a task manager; the former is not over when it is asked for.
    const closed = tab.waitForEvent('close');
    await tab.close({ runBeforeUnload: random() < 0.5 });
    await closed;
  };
  /** @param {number} forMillis */
  const freeze = async (forMillis) => {
    await emit(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    await delay(forMillis);
    await session.send('Page.setWebLifecycleState', { state: 'active' });
  };
  /** @param {import('./troubles.mjs').Trouble} trouble */
  const suffer = async ({ kind, millis: forMillis, target, fault }) => {
    if (kind === 'fault' && target && fault) mock.faults.set(target, fault);
    if (kind === 'offline') await context.setOffline(true);
    if (kind === 'tab') await otherTab(forMillis);
    else if (kind === 'freeze') await freeze(forMillis);
    else await work(forMillis);
    mock.faults.clear();
    await context.setOffline(false);
  };

  let isReloaded = false;
  while (passed() < millis) {
    if (!isReloaded && passed() > millis * RELOAD_AT) {
      isReloaded = true;
      await emit(page);
      await page.reload();
    }
    await suffer(drawTrouble(random));
    if (passed() - (samples.at(-1)?.atMillis ?? -SAMPLE_MILLIS) >= SAMPLE_MILLIS) await sample();
  }

  const endedAtMillis = passed();
  const isDelivered = async () => (await delivery()).missing.length === 0;
  while (!(await isDelivered()) && passed() - endedAtMillis < END_MILLIS) {
    await page.evaluate("dispatchEvent(new Event('online')); void copies[0].flush()");
    await delay(EMIT_MILLIS);
  }
  const deliveredMillis = passed() - endedAtMillis;
  await sample();
  return { samples, emitted: emitted.size, missing: (await delivery()).missing, deliveredMillis };
}
