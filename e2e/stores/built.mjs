/** What is tested: the built server entry, with the types of its source. @type {typeof import('../../src/server.js')} */
const server = await import(new URL('../../dist/server.js', import.meta.url).href);

export const { createIngest, nodeListener, s3, StorageError } = server;
