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

/** Askers of one project whose last answer is remembered: so many that were paused, and so many that were not. */
const MAX_REMEMBERED = 200;
/** Clients that run ask at least so often, so that by then each has been told anew. */
const FORGOTTEN_MILLIS = 3_600_000;

/** Answers of one kind, by who got them, given the longest ago first. */
interface Answers {
  byAsker: Map<string, ClientConfig>;
  /** What was told to those for whom there was no room. */
  forgotten?: { config: ClientConfig; atMillis: number };
}

/**
 * Asks the operator's hook, and where that fails gives its last answer again. An answer of "not paused, no rules" in
 * its place would start clients that were stopped, and have them forget what they are to sample.
 *
 * A client makes up its name, and a program its origin, so any number of them may have been given an answer. Names that
 * are paused push out each other only, and once one was pushed out, all that are not remembered are paused: that is what
 * the hook says to names that nobody knows.
 *
 * @param now epoch milliseconds.
 */
export function createConfigSource(hooks: Hooks, now: () => number): ConfigSource {
  const report = (error: unknown): void => reportError(error, hooks);
  /** Of each project, which the operator has named: what was told to those who are paused, and to the others. */
  const told = new Map<string, Record<'paused' | 'running', Answers>>();
  const nothingTold = (): Record<'paused' | 'running', Answers> => ({
    paused: { byAsker: new Map() },
    running: { byAsker: new Map() },
  });

  const remember = (asker: string, config: ClientConfig, answers: Answers, others: Answers): void => {
    // Whoever was told the other thing before: the operator has changed it.
    if (others.byAsker.delete(asker)) delete others.forgotten;
    for (const kind of [answers, others]) {
      if (kind.forgotten && now() - kind.forgotten.atMillis > FORGOTTEN_MILLIS) delete kind.forgotten;
    }
    const { byAsker } = answers;
    byAsker.delete(asker);
    byAsker.set(asker, config);
    const [oldest] = byAsker;
    if (!oldest || byAsker.size <= MAX_REMEMBERED) return;
    byAsker.delete(oldest[0]);
    answers.forgotten = { config: oldest[1], atMillis: now() };
  };

  return {
    async read(context) {
      const ask = hooks.config;
      if (!ask) return { paused: false, rules: [] };
      const asker = `${context.origin} ${context.client}`;
      const ofProject = told.get(context.project) ?? nothingTold();
      const { paused, running } = ofProject;
      try {
        const given = await within(hooks.timeoutMillis, 'config', () => ask(context));
        const config = { paused: given?.paused === true, rules: usableRules(given?.rules, report) };
        told.set(context.project, ofProject);
        if (config.paused) remember(asker, config, paused, running);
        else remember(asker, config, running, paused);
        return config;
      } catch (error) {
        report(error);
        return (
          paused.byAsker.get(asker) ??
          running.byAsker.get(asker) ??
          paused.forgotten?.config ??
          running.forgotten?.config ?? { paused: false, rules: [] }
        );
      }
    },
  };
}
