import { exporter } from './exporter.mjs';

/** Every case, in the order of the table. @type {readonly import('../case.mjs').Case[]} */
export const CASES = [...exporter];

/** A case's name in URLs, and as a service. @param {string} name */
export const slugOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
