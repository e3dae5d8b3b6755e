import { encoding } from './encoding.mjs';
import { exporter } from './exporter.mjs';
import { trouble } from './trouble.mjs';

/** Every case, in the order of the table. @type {readonly import('../case.mjs').Case[]} */
export const CASES = [...exporter, ...encoding, ...trouble];

/** A case's name in URLs, and as a service. @param {string} name */
export const slugOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
