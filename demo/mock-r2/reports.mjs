import { pathToFileURL } from 'node:url';

/** What the endpoint's hooks were told, as it is and as an account. */

/**
 * @typedef {object} Told Oldest first.
 * @property {import('../../src/protocol.js').StoredReceipt[]} stored
 * @property {import('../../src/protocol.js').PageLedger[]} page
 * @property {Record<string, number>[]} lost
 * @property {string[]} error
 */

/** The demo runs for hours: the oldest reports are forgotten beyond this many of each kind. */
const MAX_REPORT_COUNT = 10_000;

/** @param {string | URL} serverFile The built `spandrel/server`. */
export async function createReports(serverFile) {
  const href = serverFile instanceof URL ? serverFile.href : pathToFileURL(serverFile).href;
  const { createLedger } = /** @type {typeof import('../../src/server.js')} */ (await import(href));
  const ledger = createLedger();
  /** @type {Told} */
  const told = { stored: [], page: [], lost: [], error: [] };

  return {
    /** @param {string} kind @param {import('./ingest-entry.mjs').Report} report */
    add(kind, { detail, context }) {
      const list = /** @type {Record<string, unknown[]>} */ (/** @type {unknown} */ (told))[kind];
      if (!list) return;
      list.push(...(Array.isArray(detail) ? detail : [detail]));
      if (list.length > MAX_REPORT_COUNT) list.splice(0, list.length - MAX_REPORT_COUNT);
      if (!context) return;
      const hook = { stored: ledger.onStored, page: ledger.onPage, lost: ledger.onLost }[kind];
      hook?.(/** @type {any} */ (detail), context);
    },
    /** @returns {Told} */
    all: () => ({
      stored: [...told.stored],
      page: [...told.page],
      lost: [...told.lost],
      error: [...told.error],
    }),
    ledger: () => ({ pages: ledger.pages(), lost: ledger.lost() }),
  };
}
