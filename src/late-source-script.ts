/**
 * The second file of a script tag: beside the first, of the same build by its hash, under the same nonce.
 */

import { HANDOVER, type Handover } from './handover.js';
import { ofDocument } from './platform/dom.js';
import * as shared from './shared.js';
import type { LateFile, LateSource } from './spa/late.js';

/** What goes into `integrity`; the build writes it here. */
declare const LATE_INTEGRITY: string;

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(): string }): { createScriptURL(url: string): string };
}

const scope = globalThis as Handover & { trustedTypes?: TrustedTypes };

/** The tag of this file; undefined where it was not loaded by one. */
const tag = globalThis.document && (ofDocument('currentScript') as HTMLScriptElement | null);
const url = besides(tag?.src);

/** With the query, in which pages write a version. */
function besides(src = ''): string | undefined {
  try {
    return new URL(`late.js${new URL(src).search}`, src).href;
  } catch {
    // Text of the page's own, or a blob's.
    return undefined;
  }
}

/** A policy of our own that knows one address; where the page forbids it, its own default policy decides. */
function trusted(address: string): string {
  try {
    const rules = { createScriptURL: () => address };
    return scope.trustedTypes?.createPolicy('spandrel', rules).createScriptURL('') ?? address;
  } catch {
    return address;
  }
}
let source: string | undefined;

function load(): Promise<LateFile> {
  return new Promise((resolve, reject) => {
    if (!tag || !url) throw new Error('this file has no tag with an address');
    const before = scope[HANDOVER];
    scope[HANDOVER] = {
      ...shared,
      take(file) {
        resolve(file);
        before?.take(file);
      },
    };
    const element = (name: string): HTMLElement => Document.prototype.createElement.call(document, name);
    // Within a shadow tree, which none of its events leave: the page's own listeners hear of no load that is not theirs.
    const host = element('div');
    const script = element('script') as HTMLScriptElement;
    const over = ({ type }: { type: string }): void => {
      if (before) scope[HANDOVER] = before;
      else delete scope[HANDOVER];
      host.remove();
      // Nothing, where it was handed over.
      reject(new Error(type === 'load' ? `${url} is of another version` : `${url} did not come`));
    };
    script.addEventListener('load', over);
    script.addEventListener('error', over);
    script.nonce = tag.nonce;
    script.fetchPriority = 'low';
    script.referrerPolicy = tag.referrerPolicy;
    script.crossOrigin = tag.crossOrigin;
    // Of another origin a page may read nothing without CORS: then the version alone is compared.
    if (tag.crossOrigin !== null || new URL(url).origin === origin) script.integrity = LATE_INTEGRITY;
    source ??= trusted(url);
    script.src = source;
    host.attachShadow({ mode: 'closed' }).append(script);
    ofDocument('head').append(host);
  });
}

export const lateSource: LateSource = { url, load };
