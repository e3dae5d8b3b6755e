/**
 * What the browser says, whatever its visitors have named. An element's name hides what else has that name: of
 * `document` every property and method (`<img name="currentScript">`), of a form too (`<input name="id">`), of
 * `window` what the browser itself lacks (`<a id="scheduler">` in one without a scheduler).
 *
 * @see https://html.spec.whatwg.org/multipage/dom.html#dom-tree-accessors on named properties
 */
type Scope = typeof globalThis;

/** A property of the document, by its prototype's getter. */
export function ofDocument<K extends keyof Document>(name: K, scope: Scope = globalThis): Document[K] {
  // A test's document may have come without its constructors.
  return Reflect.get(scope.Document?.prototype ?? scope.document, name, scope.document);
}

/** A property of a node, by its prototype's getter. */
export function ofNode<K extends keyof Element>(name: K, node: Node): Element[K] {
  // Not `Element`, which Prototype.js replaces.
  return Reflect.get(HTMLElement.prototype, name, node);
}

/** A global that a browser may lack. What elements are named is inherited, and nobody's own. */
export function ownGlobal<T>(name: string, scope: object = globalThis): T | undefined {
  return Object.hasOwn(scope, name) ? (Reflect.get(scope, name) as T) : undefined;
}
