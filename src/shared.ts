/**
 * What the script tag's second file uses of the first, which would be in each otherwise: the build takes all imports of
 * these modules from here. See `late-source-script.ts`.
 */
export { meaningOf } from './bucket/endpoint.js';
export { parseJson, sumOf, toJson } from './json.js';
export { bornAt, newBlob } from './pipeline/model.js';
export { bodyOf, count } from './pipeline/pack.js';
export { nextDelayMillis } from './pipeline/retry.js';
export { settle } from './pipeline/settle.js';
export { ofDocument, ofNode } from './platform/dom.js';
export { uuidv7 } from './platform/uuid.js';
export { documentAttributes, known, storedUrl } from './spa/attributes.js';
export { createQuota, observeEntries } from './spa/observe.js';
