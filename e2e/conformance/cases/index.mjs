import { bodies } from './bodies.mjs';
import { encoding } from './encoding.mjs';
import { exporter } from './exporter.mjs';
import { flush } from './flush.mjs';
import { otlpCases } from './otlp.mjs';
import { outgoing } from './outgoing.mjs';
import { propagation } from './propagation.mjs';
import { requests } from './requests.mjs';
import { resource } from './resource.mjs';
import { trouble } from './trouble.mjs';

/** Every case, in the order of the table. @type {readonly import('../case.mjs').Case[]} */
export const CASES = [
  ...exporter,
  ...encoding,
  ...trouble,
  ...otlpCases,
  ...requests,
  ...propagation,
  ...outgoing,
  ...bodies,
  ...flush,
  ...resource,
];

/** A case's name in URLs, and as a service. @param {string} name */
export const slugOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
