import {
  type ExchangeRequest,
  type ExchangeResponse,
  PROTOCOL_VERSION,
  type StoredReceipt,
} from '../protocol.js';
import { type Claim, confirmAll } from './confirm.js';
import { tellStored } from './hooks.js';
import type { IngestContext } from './ingest-options.js';
import type { IngestSettings } from './ingest-settings.js';
import type { Trail } from './log.js';
import { Refusal } from './refusal.js';
import { issueUploads } from './uploads.js';

/** What is to be answered and told. */
export interface Exchanged {
  response: ExchangeResponse;
  /** Present where the quota has left less than was wanted: when there is more. */
  retryAfterSeconds?: number;
}

/**
 * Answers one exchange: fresh uploads, new URLs for old keys, and whether objects are there.
 *
 * A bad token spoils nothing but itself. It is passed over, so that an old page, or a guest, cannot cost a client
 * the rest of its request.
 *
 * Genuine receipts are told to the operator. Where the hook does not take them, the whole exchange has failed, and the
 * client says them again.
 *
 * @throws {Refusal} `not_found` without a secret, `bad_token` when the request holds nothing else, `internal`, `rate_limited`.
 * @throws {StorageError} when signing fails.
 */
export async function exchange(
  request: Request,
  body: ExchangeRequest,
  context: IngestContext,
  { settings, trail }: { settings: IngestSettings; trail: Trail },
): Promise<Exchanged> {
  const { protocol1 } = settings;
  // Clients of protocol 1 give up what is malformed, and keep what is not found for when it is.
  if (!protocol1) throw new Refusal('not_found', 'v takes 2: for protocol 1 this endpoint has no secret');
  const verify = async (token: string): Promise<Claim | undefined> => {
    const claim = await protocol1.tokens.verify(token);
    return claim?.project === context.project ? { token, key: claim.key } : undefined;
  };
  const claimsOf = async (tokens: string[]): Promise<Claim[]> => {
    const claims = await Promise.all(Array.from(new Set(tokens), verify));
    return claims.filter((claim) => claim !== undefined);
  };
  const genuineReceipts = async (stored: StoredReceipt[]): Promise<StoredReceipt[]> => {
    const claims = await Promise.all(stored.map(({ token }) => verify(token)));
    return stored.filter((receipt, index) => claims[index]?.key === receipt.key);
  };
  const [confirm, renew, receipts] = await Promise.all([
    claimsOf(body.confirm),
    claimsOf(body.renew),
    genuineReceipts(body.stored),
  ]);
  const given = body.confirm.length + body.renew.length + body.stored.length;
  const taken = confirm.length + renew.length + receipts.length;
  const nothingElse = body.want === 0 && Object.keys(body.lost).length === 0 && body.page === undefined;
  if (given > 0 && taken === 0 && nothingElse) {
    throw new Refusal('bad_token', 'no token of this request is valid');
  }

  const { facts, watch } = trail;
  facts.wanted = body.want;
  facts.stored = receipts.length;
  facts.storedSpans = sum(receipts.map(({ spanCount }) => spanCount));
  facts.lost = sum(Object.values(body.lost));
  // First, so that nothing is signed or counted for an exchange that comes again.
  if (!(await watch.time('hooks', () => tellStored(receipts, context, settings.hooks)))) {
    throw new Refusal('internal', 'the receipts could not be taken; they are to come again');
  }
  const config = await watch.time('hooks', () => settings.config.read(context));
  const [{ uploads, retryAfterSeconds }, confirmed] = await Promise.all([
    issueUploads(request, { body, renew, paused: config.paused, protocol1 }, context, { settings, trail }),
    confirm.length > 0 ? watch.time('store', () => confirmAll(confirm, settings)) : [],
  ]);
  facts.confirmed = confirmed.length;
  return {
    response: {
      v: PROTOCOL_VERSION,
      uploads,
      confirmed,
      config,
      ...(settings.storage.presign ? {} : { relay: true }),
    },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

export function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
