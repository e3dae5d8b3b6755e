import type { ClientConfig } from '../protocol.js';
import { within } from './deadline.js';
import { type Hooks, reportError } from './hooks.js';
import type { IngestContext } from './ingest-options.js';
import { usableRules } from './sampling-rules.js';

/** What clients are told to do. */
export interface ConfigSource {
  /** Never rejects: failures of the operator's hook go to `onError`. */
  read(context: IngestContext): Promise<ClientConfig>;
}

/** Kinds of asker whose last answer is remembered. */
const MAX_REMEMBERED = 200;

/**
 * Asks the operator's hook, and where that fails gives its last answer again. An answer of "not paused, no rules" in
 * its place would start clients that were stopped, and have them forget what they are to sample.
 */
export function createConfigSource(hooks: Hooks): ConfigSource {
  const report = (error: unknown): void => reportError(error, hooks);
  /** By who asked, heard of the longest ago first. */
  const last = new Map<string, ClientConfig>();
  return {
    async read(context) {
      const ask = hooks.config;
      if (!ask) return { paused: false, rules: [] };
      const asker = `${context.project} ${context.origin} ${context.client}`;
      try {
        const given = await within(hooks.timeoutMillis, 'config', () => ask(context));
        const config = { paused: given?.paused === true, rules: usableRules(given?.rules, report) };
        last.delete(asker);
        last.set(asker, config);
        for (const oldest of last.keys()) {
          if (last.size <= MAX_REMEMBERED) break;
          last.delete(oldest);
        }
        return config;
      } catch (error) {
        report(error);
        return last.get(asker) ?? { paused: false, rules: [] };
      }
    },
  };
}
