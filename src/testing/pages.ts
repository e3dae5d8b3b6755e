/** Several pages of one origin, one after the other. For tests only. */
import assert from 'node:assert/strict';
import { assertLedger, type TestClient, testClient } from './client.js';
import type { TestOrigin } from './origin.js';

let seed = 100;

/** A page of `origin`, after the `earlier` one, whose cloud it shares. */
export function openPage(
  origin: TestOrigin | undefined,
  { earlier, ...options }: Parameters<typeof testClient>[0] & { earlier?: TestClient } = {},
): TestClient {
  seed += 10;
  const nowMillis = earlier ? earlier.platform.now() + 1_000 : 1_790_000_000_000;
  return testClient({ origin, seed, nowMillis, ...options, ...(earlier && { cloud: earlier.cloud }) });
}

/** Waits until so many spans are in the bucket, each once, and told. */
export async function assertDelivered(
  { platform, processor, cloud }: TestClient,
  spans: number,
): Promise<void> {
  for (let tries = 0; tries < 30 && cloud.spanIds().length < spans; tries++) await platform.advance(30_000);
  await platform.advance(70_000);
  const ids = cloud.spanIds();
  assert.equal(new Set(ids).size, spans, 'spans in the bucket');
  assert.equal(ids.length, spans, 'a span is stored twice');
  assertLedger(processor.stats());
  assert.equal(processor.stats().spans.waiting, 0);
}
