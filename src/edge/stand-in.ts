/** Stands for an object of the host's in everything but what is replaced. */

/**
 * A proxy, so that accessors, private fields, `instanceof` and what is added later are the object's own. Functions that
 * it inherits are called on the object itself: a runtime's refuse any other `this`.
 *
 * @param replace gives what is to be read under a name instead, or undefined.
 */
export function standIn<T extends object>(target: T, replace: (name: string | symbol) => unknown): T {
  const bound = new Map<unknown, unknown>();
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      // What cannot be changed must be told as it is: https://tc39.es/ecma262/#sec-proxy-object-internal-methods-and-internal-slots-get-p-receiver
      if (Reflect.getOwnPropertyDescriptor(target, name)?.configurable === false) return value;
      const replaced = replace(name);
      if (replaced !== undefined) return replaced;
      if (typeof value !== 'function' || name === 'constructor' || Object.hasOwn(target, name)) return value;
      // What RPC finds on the other side is both a function and a promise, and answers to any name.
      if ('then' in value) return value;
      if (!bound.has(value)) bound.set(value, value.bind(target));
      return bound.get(value);
    },
  });
}
