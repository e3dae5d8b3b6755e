/**
 * What the user has said, and what follows from it.
 *
 * | consent   | spans                                      | outbox, destination                                 |
 * | --------- | ------------------------------------------ | --------------------------------------------------- |
 * | `granted` | go on, those that were held first          | open                                                |
 * | `pending` | are held in memory                         | none: no database, lock or request                  |
 * | `denied`  | are dropped; new ones are not even counted | none, and what pages of this origin kept is deleted |
 *
 * Other tabs hear of a denial by a storage event; a grant is for each page to say.
 */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Consent } from '../page-options.js';
import { DENIALS } from '../platform/notes.js';
import type { Platform } from '../platform/platform.js';
import { within } from './alarm.js';

export interface ConsentDeps {
  platform: Pick<Platform, 'after' | 'whenIdle' | 'notes' | 'onNote' | 'purge'>;
  diagnostics: Diagnostics;
  /** Opens what is there while the user consents; `denials`: see {@link DENIALS}. */
  open(denials: string | undefined): void;
  /** Ends it: what is in the database stays there, unless the user has denied. Resolves when it is ended. */
  end(isDenied: boolean): Promise<void>;
}

export interface ConsentState {
  set(consent: Consent): void;
  /** Resolves when what was open is ended, and what was kept is deleted. */
  settled(): Promise<void>;
  close(): void;
}

/** Said and taken back at once: it is the event that counts. */
const NOTE = 'spandrel-1 consent';
/** A page that starts as denied may be told better in its first moments, by whoever knows what the user said before. */
const DELETE_MILLIS = 1_000;
/** How long a database that does not answer keeps what is granted again from being opened. */
const PATIENCE_MILLIS = 5_000;

export function createConsent(deps: ConsentDeps, first: Consent): ConsentState {
  const { platform, diagnostics } = deps;
  const { totals } = diagnostics;
  let ending: Promise<void> | undefined;

  const open = (): void => {
    if (totals.consent === 'granted' && !ending) deps.open(platform.notes?.get(DENIALS));
  };

  const deleteAll = async (): Promise<void> => {
    const { notes } = platform;
    const denials = Number(notes?.get(DENIALS) ?? 0) + 1;
    const purged = platform.purge().then(
      () => true,
      (error) => {
        diagnostics.trouble('storage', String(error));
        return false;
      },
    );
    // Other notes are gone by now. What the database keeps all the same must never be sent.
    notes?.set(DENIALS, String(denials));
    if (await within(platform, PATIENCE_MILLIS, purged)) notes?.delete(DENIALS);
  };

  const end = (isDenied: boolean): void => {
    const work = Promise.all([ending, deps.end(isDenied)])
      .then(() => (isDenied ? deleteAll() : undefined))
      .catch(diagnostics.exception)
      .then(() => {
        if (ending !== work) return;
        ending = undefined;
        diagnostics.guard(open);
      });
    ending = work;
  };

  const change = (consent: Consent): void => {
    const isOpen = totals.consent === 'granted';
    totals.consent = consent;
    if (consent === 'granted') open();
    else if (isOpen || consent === 'denied') end(consent === 'denied');
    diagnostics.changed();
  };

  totals.consent = first;
  const stopNotes = platform.onNote((name, text) => {
    if (name === NOTE && text === 'denied' && totals.consent !== 'denied') change('denied');
  });
  if (first === 'denied') {
    platform.whenIdle(DELETE_MILLIS, () => {
      if (totals.consent === 'denied') end(true);
    });
  }
  open();

  return {
    set(consent) {
      if (consent === 'denied') platform.notes?.set(NOTE, consent);
      else if (consent === totals.consent) return;
      change(consent);
    },
    async settled() {
      await ending;
    },
    close: stopNotes,
  };
}
