import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { MapCache } from '../../maps/map-cache.js';
import { type ResolvedLine, resolveStack } from '../../maps/resolve-stack.js';
import { readBounded } from '../../wire/bounded-read.js';

const MAX_BODY_BYTES = 4_194_304;
const MAX_STACKS = 100;

/** A stack, and whose. */
interface Question {
  project: string;
  release: string;
  stack: string;
}

/** What becomes of one. */
export interface StackAnswer {
  lines: ResolvedLine[];
  isResolved: boolean;
}

/**
 * Answers `POST /viewer/api/stacks`, `{ stacks: [{ project, release, stack }] }`, at most 100, in their order. The page
 * learns places and the lines around them; maps stay here.
 *
 * @returns undefined where the request is no such thing.
 */
export async function answerStacks(maps: MapCache, req: IncomingMessage): Promise<StackAnswer[] | undefined> {
  const questions = await readQuestions(req);
  if (!questions) return undefined;
  return Promise.all(
    questions.map(async ({ project, release, stack }) => {
      const { lines, isResolved } = await resolveStack(maps, stack, { project, release });
      return { lines, isResolved };
    }),
  );
}

async function readQuestions(req: IncomingMessage): Promise<Question[] | undefined> {
  // A form of another page cannot say this without asking first.
  if (!/^application\/json(;|$)/.test(req.headers['content-type'] ?? '')) return undefined;
  const body = await readBounded(Readable.toWeb(req) as ReadableStream<Uint8Array>, MAX_BODY_BYTES);
  try {
    const { stacks } = JSON.parse(new TextDecoder().decode(body)) as { stacks: unknown };
    const isOne = (one: unknown): one is Question => {
      const { project, release, stack } = (one ?? {}) as Partial<Record<keyof Question, unknown>>;
      return [project, release, stack].every((text) => typeof text === 'string');
    };
    return Array.isArray(stacks) && stacks.length <= MAX_STACKS && stacks.every(isOne) ? stacks : undefined;
  } catch {
    return undefined;
  }
}
