import type { ExchangeResponse } from '../protocol.js';
import { createForwardedLookup } from './forwarded-lookup.js';
import { reportError } from './hooks.js';
import type { IngestSettings } from './ingest-settings.js';

/** A token that is genuine and of the asking project, with the key it stands for. */
export interface Claim {
  token: string;
  key: string;
}

/** Questions to the store at one time; Workers hold about six connections and queue the rest. */
const PARALLEL = 6;
/** Claims looked at in one exchange. */
const MAX_CLAIMS = 40;
/** Questions for one exchange. Workers' free plan lets 50 requests out for each that comes in, the hooks' included. */
const MAX_QUESTIONS = 45;
/** No question is begun later than this. One more may take as long as the store does; the client waits for 30 s. */
const ASKING_MILLIS = 5_000;
/** A store that has failed so often is not asked again for this exchange. */
const MAX_FAILURES = PARALLEL;

/**
 * Asks the store which claims have an object, at most {@link MAX_CLAIMS} of them. One that is gone because `forward`
 * is done with it counts as stored.
 *
 * Only "there" and "not there" are answers. A claim of which the store would not tell, or that there was no time
 * for, is left out: the client asks again, and a blob is sent again only where its object is known to be missing.
 *
 * @returns answers in the order of the claims. Never rejects; each failure goes to `onError`.
 */
export async function confirmAll(
  claims: readonly Claim[],
  { storage, hooks, now, statePrefix }: IngestSettings,
): Promise<ExchangeResponse['confirmed']> {
  const startedAtMillis = now();
  const questions = claims.slice(0, MAX_CLAIMS).entries();
  const answers: (ExchangeResponse['confirmed'][number] | undefined)[] = [];
  let failures = 0;
  let asked = 0;
  const mayAsk = (): boolean => {
    asked += 1;
    return asked <= MAX_QUESTIONS && now() - startedAtMillis < ASKING_MILLIS;
  };
  const forwarded =
    statePrefix === undefined ? undefined : createForwardedLookup(storage, statePrefix, mayAsk);
  const isStored = async (key: string): Promise<boolean | undefined> => {
    // Where it lies comes first: forward notes an object before it deletes it.
    if ((await storage.head(key)) !== undefined) return true;
    return forwarded ? forwarded.has(key) : false;
  };

  // All lanes draw from one iterator, so that a slow answer holds up its own lane only.
  const lane = async (): Promise<void> => {
    for (const [index, { token, key }] of questions) {
      asked += 1;
      if (asked > MAX_QUESTIONS) return;
      try {
        const stored = await isStored(key);
        if (stored !== undefined) answers[index] = { token, stored };
      } catch (error) {
        failures += 1;
        reportError(error, hooks);
      }
      if (failures >= MAX_FAILURES || now() - startedAtMillis >= ASKING_MILLIS) return;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  return answers.filter((answer) => answer !== undefined);
}
