import { Refusal } from '../refusal.js';
import type { OtlpSettings } from './settings.js';

const BEARER = /^Bearer +([!-~]{1,512}) *$/i;

/** Whose key a request has. @returns the project's name. @throws {Refusal} `bad_key`. */
export type KeyRing = (request: Request) => Promise<string>;

/**
 * Keys are compared by their hashes, each with all of them, so that the time tells nothing about any.
 */
export function createKeyRing({ keys }: OtlpSettings): KeyRing {
  // The hashes themselves are kept, not promises of them: on Workers a promise belongs to the request that made it.
  let known: { hash: Uint8Array; project: string }[] | undefined;
  return async (request) => {
    known ??= await Promise.all(keys.map(async ({ key, project }) => ({ hash: await hashOf(key), project })));
    const [, given = ''] = BEARER.exec(request.headers.get('authorization') ?? '') ?? [];
    const hash = await hashOf(given);
    let project: string | undefined;
    for (const one of known) if (isEqual(one.hash, hash)) project = one.project;
    if (project !== undefined) return project;
    throw new Refusal('bad_key', 'the header Authorization takes Bearer and a key of this endpoint', {
      'www-authenticate': 'Bearer',
    });
  };
}

async function hashOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return difference === 0;
}
