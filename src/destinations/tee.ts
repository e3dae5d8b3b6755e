import { refuse } from '../options.js';
import type { Destination } from './destination.js';

/**
 * Several destinations at once. Each gets every object, with an outbox, retries and an outcome of its own: one that
 * fails or is slow never stops another. `stats()` tells of the first, `stats().others` of each further one.
 *
 * A page that leaves divides what it may still send by their number.
 *
 * @throws {TypeError} when one is no destination, there are fewer than two, or two have the same id.
 * @example
 * tee(bucket({ endpoint: '/spandrel' }), otlp({ url: 'https://collector.example' }))
 */
export function tee(...destinations: [Destination, Destination, ...Destination[]]): Destination {
  if (destinations.length < 2) refuse('tee', destinations, 'two destinations or more');
  const branches = destinations.flatMap((one: Destination | undefined) => {
    if (typeof one?.open !== 'function') refuse('tee', one, 'destinations such as bucket({ endpoint })');
    return one.branches ?? [one];
  });
  // What a page leaves behind is found again by these.
  const ids = branches.map(({ id }) => id ?? '');
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) refuse('tee', twice, 'destinations with different ids');
  return {
    id: ids.join(' + '),
    branches,
    open() {
      throw new TypeError('spandrel: a tee is opened branch by branch');
    },
  };
}
