/** A notifier whose endpoint is the test. */
import { createDiagnostics, type Diagnostics } from '../diagnostics/diagnostics.js';
import type { Claim, PooledUpload } from '../pipeline/model.js';
import { createNotifier, type Message, type MessageAnswer, type Notifier } from '../pipeline/notify.js';
import { nextDelayMillis } from '../pipeline/retry.js';
import type { PageLedger, PresignedUpload, StoredReceipt } from '../protocol.js';
import { settle, type TestPlatform, testPlatform } from './platform.js';

export interface NotifierWorld {
  platform: TestPlatform;
  diagnostics: Diagnostics;
  notifier: Notifier;
  asked: { message: Message; answer(answer: Partial<MessageAnswer>): Promise<void> }[];
  told: Message[];
  fresh: PresignedUpload[];
  renewed: [string, string | undefined][];
  confirmed: [string, boolean][];
  /** What is kept for the next page. */
  remembered: Map<string, unknown>;
  wanted: number;
  relayOnly: number;
  paused: number;
  rules: unknown[];
  woken: number;
  takes: boolean;
}

export function notifierWorld(): NotifierWorld {
  const platform = testPlatform({ random: () => 0.5 });
  const diagnostics = createDiagnostics(platform.now, platform.after);
  const world: Omit<NotifierWorld, 'notifier'> = {
    ...{
      platform,
      diagnostics,
      asked: [],
      told: [],
      fresh: [],
      renewed: [],
      confirmed: [],
      rules: [],
      remembered: new Map(),
    },
    ...{ wanted: 0, relayOnly: 0, paused: 0, woken: 0, takes: true },
  };
  const endpoint = {
    confirms: true,
    exchange: (message: Message) =>
      new Promise<MessageAnswer>((resolve) => {
        world.asked.push({
          message,
          answer(answer) {
            resolve({ ok: true, uploads: [], confirmed: [], paused: false, ...answer } as MessageAnswer);
            return settle();
          },
        });
      }),
    tell(message: Message) {
      if (world.takes) world.told.push(message);
      return world.takes;
    },
  };
  const notifier = createNotifier({
    ...{ platform, diagnostics, endpoint, nextDelayMillis },
    wanted: () => Array(world.wanted).fill(1_000),
    fresh(uploads) {
      world.fresh.push(...uploads);
      world.wanted -= uploads.length;
    },
    confirmed: (claim: Claim, stored: boolean) => void world.confirmed.push([claim.token, stored]),
    ledger: () => LEDGER,
    renewed: (claim: Claim, upload: PooledUpload | undefined) =>
      void world.renewed.push([claim.token, upload?.url]),
    remember(name, value) {
      if (value === undefined) world.remembered.delete(name);
      else world.remembered.set(name, value);
    },
    wake: () => void world.woken++,
    pause: () => void world.paused++,
    relayOnly: () => void world.relayOnly++,
    rules: (rules) => void world.rules.push(rules),
  });
  return Object.assign(world, { notifier });
}

export const LEDGER: PageLedger = {
  ...{ id: '01990000-0000-7000-8000-000000000000', sealed: 0, created: 0, adopted: 0 },
  ...{ stored: 0, waiting: 0, dropped: 0, handedOver: 0 },
};

let serial = 0;
/** A receipt with as many traces of the longest names. */
export const receipt = (traceCount = 1): StoredReceipt => {
  const key = `k${++serial}`;
  const summary = {
    ...{ traceId: 'a'.repeat(32), rootName: 'x'.repeat(255) },
    ...{ startedAt: 1, durationMs: 1, spanCount: 1, error: false },
  };
  return { key, token: `t-${key}`, spanCount: 1, bytes: 1, traces: Array(traceCount).fill(summary) };
};
export const FAILURE: { readonly ok: false; readonly cause: string } = { ok: false, cause: 'planted' };
