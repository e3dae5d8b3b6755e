/** What the edge's tests need of a runtime: a store, and the `ctx` of Workers. */
import { gunzipSync } from 'node:zlib';
import type { Destination } from '../destinations/destination.js';
import type { Outcome, TraceBlob } from '../pipeline/model.js';

/** A span as it was stored, with the names and values of its attributes. */
export interface StoredSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags: number;
  readonly status?: { code?: number; message?: string };
  readonly attributes: Record<string, unknown>;
  readonly resource: Record<string, unknown>;
  readonly scope: string;
  readonly events: { name: string; attributes: Record<string, unknown> }[];
  readonly links: { traceId: string; spanId: string; traceState?: string }[];
}

interface Value {
  stringValue?: string;
  intValue?: string;
  doubleValue?: number;
  boolValue?: boolean;
}
type Pairs = { key: string; value: Value }[];

const plain = ({ stringValue, intValue, doubleValue, boolValue }: Value): unknown =>
  stringValue ?? boolValue ?? doubleValue ?? (intValue === undefined ? undefined : Number(intValue));
const record = (pairs: Pairs = []): Record<string, unknown> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]));

function spansOf({ bytes }: TraceBlob): StoredSpan[] {
  const { resourceSpans } = JSON.parse(gunzipSync(bytes as Uint8Array).toString());
  // biome-ignore lint/suspicious/noExplicitAny: OTLP, as it comes.
  return resourceSpans.flatMap(({ resource, scopeSpans }: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: OTLP, as it comes.
    scopeSpans.flatMap(({ scope, spans }: any) =>
      // biome-ignore lint/suspicious/noExplicitAny: OTLP, as it comes.
      spans.map((span: any) => ({
        ...span,
        attributes: record(span.attributes),
        resource: record(resource.attributes),
        scope: scope.name,
        events: (span.events ?? []).map((event: { name: string; attributes?: Pairs }) => ({
          name: event.name,
          attributes: record(event.attributes),
        })),
        links: span.links ?? [],
      })),
    ),
  );
}

export interface MemoryStore extends Destination {
  /** One list for each object, in the order of their coming. */
  readonly objects: StoredSpan[][];
  /** All of them. */
  readonly spans: StoredSpan[];
  /** The only one of this name. @throws {Error} when there are more or none. */
  span(name: string): StoredSpan;
  /** Destinations that were opened and not closed. */
  readonly openCount: number;
  /** What becomes of the next blobs. */
  answer: (blob: TraceBlob) => Outcome | Promise<Outcome>;
}

export function memoryStore(): MemoryStore {
  const objects: StoredSpan[][] = [];
  let openCount = 0;
  const self: MemoryStore = {
    objects,
    get spans() {
      return objects.flat();
    },
    span(name) {
      const [found, ...more] = self.spans.filter((span) => span.name === name);
      if (!found || more.length) {
        throw new Error(
          `${more.length + Number(!!found)} spans "${name}" of ${self.spans.map((one) => one.name)}`,
        );
      }
      return found;
    },
    get openCount() {
      return openCount;
    },
    answer: () => ({ status: 'stored' }),
    open() {
      openCount++;
      let isOpen = true;
      return {
        async send(blob) {
          const outcome = await self.answer(blob);
          if (outcome.status === 'stored') objects.push(spansOf(blob));
          return outcome;
        },
        close() {
          if (isOpen) openCount--;
          isOpen = false;
        },
      };
    },
  };
  return self;
}

/** The `ctx` of Workers: like theirs, its methods refuse any other `this`. */
export class TestExecutionContext {
  readonly #promises: Promise<unknown>[] = [];
  #passesThrough = false;
  readonly props = { of: 'the test' };

  waitUntil(promise: Promise<unknown>): void {
    // Throws where there is no such field, as workerd does.
    this.#promises.push(promise);
  }

  passThroughOnException(): void {
    this.#passesThrough = true;
  }

  get passesThrough(): boolean {
    return this.#passesThrough;
  }

  get count(): number {
    return this.#promises.length;
  }

  /** Resolves when all that it was given is settled, and what came meanwhile. */
  async settled(): Promise<void> {
    for (let seen = 0; seen < this.#promises.length; ) {
      seen = this.#promises.length;
      await Promise.allSettled(this.#promises);
    }
  }
}
