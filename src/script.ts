/**
 * The script tag's file: starts itself from the tag's `data-*` attributes and leaves what it started in the global
 * `spandrel.instance`.
 *
 * `data-service="shop" data-endpoint="/spandrel" data-scheduled-delay-millis="1000"`: each plain option of
 * {@link start} under its name in kebab case. Without `data-service` nothing starts, and the page calls
 * `spandrel.start({…})` itself. A mistake is one line on the console; the page goes on.
 *
 * What the stub (`stub.ts`) kept is taken over: its calls are run in their order, with `setConsent` known before
 * anything starts.
 *
 * @module
 */
import type { Stub } from './early.js';
import type { Consent } from './page-options.js';
import type { FlushResult } from './pipeline/pipeline.js';
import { ofDocument, ownGlobal } from './platform/dom.js';
import { running, type Spandrel, type StartOptions, start as startPage, warnRunning } from './start.js';
import { optionsOfTag, tellOfTag } from './tag-options.js';

export { leavingBucket as bucket } from './bucket/leaving.js';
export { PageExporter as TraceExporter } from './page-exporter.js';
export { TraceBatchProcessor } from './trace-batch-processor.js';

/** What the stub kept; it goes on with errors until something starts, which asks here. */
export const early: Partial<Stub> | undefined = ownGlobal('spandrel');
const calls = Array.isArray(early?.queue) ? early.queue.filter((entry) => Array.isArray(entry)) : [];

/** What this file started first, or another copy of us before it. */
export let instance: Spandrel | undefined = running();

/** What the user decided before anything ran. */
let decided: Consent | undefined;

/** As of the package, but what `setConsent` said before stands. @throws {TypeError} */
export function start(options: StartOptions): Spandrel {
  const started = startPage(decided ? { ...options, consent: decided } : options);
  instance ??= started;
  for (const [name, argument, , , second] of calls) {
    if (isSetter(name)) started[name](argument as never, second as never);
  }
  return started;
}

/** See `Spandrel.recordException`. Does nothing while nothing runs. */
export const recordException: Spandrel['recordException'] = (error) => running()?.recordException(error);

type Setter = 'setUser' | 'setAttributes' | 'setFlag';
const isSetter = (name: string): name is Setter => /^set[^C]/.test(name);

const setter =
  <N extends Setter>(name: N): Spandrel[N] =>
  (argument: unknown, second?: unknown) => {
    const spandrel = running();
    // It may be an older copy of us, which knows none of them.
    if (spandrel) spandrel[name]?.(argument as never, second as never);
    // As many as the stub keeps, and again.
    else calls[199] || calls.push([name, argument, 0, () => {}, second]);
  };
/** See `Spandrel.setUser`. While nothing runs it is kept for the next start. */
export const setUser: Spandrel['setUser'] = setter('setUser');
/** See `Spandrel.setAttributes`. While nothing runs it is kept for the next start. */
export const setAttributes: Spandrel['setAttributes'] = setter('setAttributes');
/** See `Spandrel.setFlag`. While nothing runs it is kept for the next start. */
export const setFlag: Spandrel['setFlag'] = setter('setFlag');

/** See `Spandrel.setConsent`. While nothing runs it is kept, and decides how the next start begins. */
export function setConsent(consent: Consent): void {
  const spandrel = running();
  if (spandrel) spandrel.setConsent(consent);
  else decided = consent;
}

/** See `Spandrel.flush`. */
export const flush = async (): Promise<FlushResult> => running()?.flush() ?? 'stored';

function attempt<T>(task: () => T): T | undefined {
  try {
    return task();
  } catch (error) {
    console.error(tellOfTag(error));
    return undefined;
  }
}

for (const [name, argument] of calls) if (name === 'setConsent') decided = argument as Consent;
const data = globalThis.document && (ofDocument('currentScript') as HTMLScriptElement | null)?.dataset;
if (data?.['service'] !== undefined) {
  if (instance) warnRunning();
  else attempt(() => start(optionsOfTag(data) as unknown as StartOptions));
}
for (const [name, argument, , done] of calls) {
  if (name === 'start') attempt(() => done(start(argument as StartOptions)));
  else done(name === 'flush' ? flush() : undefined);
}
