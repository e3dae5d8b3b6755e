/** What comes after a page has loaded: a file of its own, whoever bundles it. */
import { completeBucket } from './bucket/send.js';
import { openDelivery as open } from './late.js';
import type { Delivery } from './pipeline/deliver.js';
import type { DeliveryHost } from './pipeline/pipeline.js';

export { traceFrustration } from './spa/frustration.js';
export { keepContext } from './spa/keep-context.js';
export { traceLongFrames } from './spa/long-frames.js';
export { traceWebVitals } from './spa/web-vitals.js';

export function openDelivery(host: DeliveryHost): Delivery {
  host.destination.complete?.(completeBucket);
  return open(host);
}
