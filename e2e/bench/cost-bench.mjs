// A million page views an hour: what they make of requests, objects and bytes, and what that costs a month at list
// prices, with many traces to an object and with one. Visits are measured; prices and assumptions are in cost-model.mjs.
import { HOURS_PER_MONTH, monthOf, PRICES_AS_OF, VIEWS_PER_HOUR } from './cost-model.mjs';
import { measureVisit } from './cost-visit.mjs';
import { launchChromium } from './in-chromium.mjs';

const SETTINGS = {
  default: '',
  'maxTracesPerBlob 1': 'data-max-traces-per-blob="1"',
  // What a page does within a minute goes together, at the latest when it hides.
  'scheduledDelayMillis 60,000': 'data-scheduled-delay-millis="60000"',
};
/** @type {Record<import('./cost-visit.mjs').Kind, string>} */
const KINDS = { app: 'single-page app', documents: 'four documents' };
/** @type {Record<string, import('./cost-model.mjs').Setup>} */
const SETUPS = {
  'R2, queue consumer': { store: 'r2', forward: 'queue' },
  'R2, forward by the minute': { store: 'r2', forward: 'command' },
  'R2, the same, kept 30 days': { store: 'r2', forward: 'command', keptDays: 30 },
  'S3, forward by the minute': { store: 's3', forward: 'command' },
};

const millions = (/** @type {number} */ count) => Math.round(count / 1e6);
const dollars = (/** @type {number} */ amount) => Math.round(amount);

export async function bench() {
  const browser = await launchChromium();
  try {
    const cases = Object.entries(KINDS).flatMap(([kind, site]) =>
      Object.entries(SETTINGS).map(([setting, attributes]) => ({ kind, site, setting, attributes })),
    );
    // Side by side: they wait most of the time.
    const visits = await Promise.all(
      cases.map(({ kind, attributes }) => measureVisit(browser, /** @type {any} */ (kind), attributes)),
    );
    const measured = cases.map(({ site, setting }, index) => ({ site, setting, ...visits[index] }));
    const months = cases.flatMap(({ site, setting }, index) =>
      Object.entries(SETUPS).map(([setup, options]) => {
        const month = monthOf(/** @type {any} */ (visits[index]), options);
        return {
          ...{ site, setting, setup },
          'objects, M': millions(month.objects),
          'endpoint, M': millions(month.requests),
          TB: month.bytes / 1e12,
          ...Object.fromEntries(
            Object.entries(month.dollars).map(([part, cost]) => [`${part} $`, dollars(cost)]),
          ),
          'a month $': dollars(month.total),
          '$ per M views': month.total / ((VIEWS_PER_HOUR * HOURS_PER_MONTH) / 1e6),
        };
      }),
    );
    return {
      'cost, one visit of four views': measured,
      [`cost, ${VIEWS_PER_HOUR.toLocaleString('en')} views an hour, list prices of ${PRICES_AS_OF}`]: months,
    };
  } finally {
    await browser.close();
  }
}
