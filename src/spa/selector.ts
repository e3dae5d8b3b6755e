/** Long enough to tell elements apart, as web-vitals cuts them. */
const MAX_LENGTH = 100;

/** A CSS selector such as `#cart>button.buy`, without any text of the page; empty for what is no longer there. */
export function selectorOf(node: Node | null | undefined): string {
  let selector = '';
  let element = node?.nodeType === 1 ? (node as Element) : node?.parentElement;
  while (element) {
    // Not `element.id`, which in a form may be a field of that name.
    const id = element.getAttribute('id');
    const part = id ? `#${id}` : [element.localName, ...[...element.classList].sort()].join('.');
    const longer = selector ? `${part}>${selector}` : part;
    if (longer.length > MAX_LENGTH) return selector || part.slice(0, MAX_LENGTH);
    selector = longer;
    element = id ? null : element.parentElement;
  }
  return selector;
}
