/** Steps of tests of the bucket. */
import assert from 'node:assert/strict';
import { type TestClient, testClient } from './client.js';
import { type Fate, isExchange } from './cloud.js';
import { settle, type TestRequest } from './platform.js';

/** Answers the endpoint's exchanges; uploads and relays are the test's. */
export function endpointUp({ platform, cloud }: TestClient): void {
  platform.onRequest = (request) => void (isExchange(request) && cloud.answer(request));
  for (const request of platform.pending.filter(isExchange)) void cloud.answer(request);
}

export async function answerNext(
  { platform, cloud }: TestClient,
  which: (request: { url: string }) => boolean,
  fate?: Fate,
): Promise<TestRequest> {
  const request = platform.pending.find(which);
  assert.ok(request, 'no such request is under way');
  await cloud.answer(request, fate);
  await settle();
  return request;
}

/** A client whose first blob has been under way since a moment. */
export async function sending(options: Parameters<typeof testClient>[0] = {}): Promise<TestClient> {
  const client = testClient({ scheduledDelayMillis: 0, ...options });
  endpointUp(client);
  client.endTrace();
  await client.platform.advance(1_000);
  return client;
}
