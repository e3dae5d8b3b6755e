/** A notifier whose endpoint is the test. */
import { createDiagnostics, type Diagnostics } from '../diagnostics/diagnostics.js';
import type { Claim, PooledUpload } from '../pipeline/model.js';
import { createNotifier, type Message, type MessageAnswer, type Notifier } from '../pipeline/notify.js';
import { nextDelayMillis } from '../pipeline/retry.js';
import type { PresignedUpload, StoredReceipt } from '../protocol.js';
import { settle, type TestPlatform, testPlatform } from './platform.js';

export interface NotifierWorld {
  platform: TestPlatform;
  diagnostics: Diagnostics;
  notifier: Notifier;
  asked: { message: Message; answer(answer: Partial<MessageAnswer>): Promise<void> }[];
  told: Message[];
  fresh: PresignedUpload[];
  renewed: [string, string | undefined][];
  wanted: number;
  paused: number;
  woken: number;
  takes: boolean;
}

export function notifierWorld(): NotifierWorld {
  const platform = testPlatform({ random: () => 0.5 });
  const diagnostics = createDiagnostics(platform.now, platform.after);
  const world: Omit<NotifierWorld, 'notifier'> = {
    ...{ platform, diagnostics, asked: [], told: [], fresh: [], renewed: [] },
    ...{ wanted: 0, paused: 0, woken: 0, takes: true },
  };
  const endpoint = {
    exchange: (message: Message) =>
      new Promise<MessageAnswer>((resolve) => {
        world.asked.push({
          message,
          answer(answer) {
            resolve({ ok: true, uploads: [], paused: false, ...answer } as MessageAnswer);
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
    wanted: () => world.wanted,
    fresh(uploads) {
      world.fresh.push(...uploads);
      world.wanted -= uploads.length;
    },
    renewed: (claim: Claim, upload: PooledUpload | undefined) =>
      void world.renewed.push([claim.token, upload?.url]),
    wake: () => void world.woken++,
    pause: () => void world.paused++,
  });
  return Object.assign(world, { notifier });
}

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
