import { ofNode } from '../platform/dom.js';

/** Long enough to tell elements apart, as web-vitals cuts them. */
const MAX_LENGTH = 100;

/** A CSS selector such as `#cart>button.buy`, without any text of the page; empty for what is no longer there. */
export function selectorOf(node: Node | null | undefined): string {
  let selector = '';
  let element = node && ofNode('nodeType', node) !== 1 ? ofNode('parentElement', node) : (node as Element);
  while (element) {
    const id = ofNode('id', element);
    const part = id
      ? `#${id}`
      : [ofNode('localName', element), ...[...ofNode('classList', element)].sort()].join('.');
    const longer = selector ? `${part}>${selector}` : part;
    if (longer.length > MAX_LENGTH) return selector || part.slice(0, MAX_LENGTH);
    selector = longer;
    element = id ? null : ofNode('parentElement', element);
  }
  return selector;
}
