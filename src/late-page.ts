/** What comes after a page has loaded: a file of its own, whoever bundles it. */

export { openDelivery } from './late.js';
export { traceFrustration } from './spa/frustration.js';
export { keepContext } from './spa/keep-context.js';
export { traceLongFrames } from './spa/long-frames.js';
export { traceWebVitals } from './spa/web-vitals.js';
