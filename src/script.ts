/**
 * The script tag's file: starts itself from the tag's `data-*` attributes and leaves what it started in the global
 * `spandrel.instance`.
 *
 * `data-service="shop" data-endpoint="/spandrel" data-scheduled-delay-millis="1000"`: each plain option of
 * {@link start} under its name in kebab case. Without `data-service` nothing starts, and the page calls
 * `spandrel.start({…})` itself. A mistake is one line on the console; the page goes on.
 *
 * @module
 */
import { NUMBER_OPTIONS } from './options.js';
import { type Spandrel, type StartOptions, start } from './start.js';

export { bucket } from './destinations/bucket.js';
export { TraceBatchProcessor } from './trace-batch-processor.js';
export { TraceExporter } from './trace-exporter.js';
export { start };

/** Attributes as the options that they mean: numbers and booleans are read as such. */
function optionsOf(data: DOMStringMap): StartOptions {
  const options = Object.entries(data).map(([name, text]) => {
    if (name in NUMBER_OPTIONS) return [name, text?.trim() ? Number(text) : text];
    return [name, text === 'true' ? true : text === 'false' ? false : text];
  });
  return Object.fromEntries(options) as StartOptions;
}

function startFromTag(): Spandrel | undefined {
  const data = (document.currentScript as HTMLScriptElement | null)?.dataset;
  if (data?.['service'] === undefined) return undefined;
  try {
    return start(optionsOf(data));
  } catch (error) {
    console.error(error);
    return undefined;
  }
}

/** What the tag started; undefined when it had no `data-service` or a mistake. */
export const instance: Spandrel | undefined = startFromTag();
