import { refuse } from '../options.js';
import type { Destination } from './destination.js';

/**
 * Several destinations at once. Each gets every object, with an outbox, retries and an outcome of its own: one that
 * fails or is slow never stops another. `stats()` tells of the first, `stats().others` of each further one.
 *
 * A kill switch stops its own destination, and all collection once it has stopped every one of them; sampling rules are
 * those of the first that gives any. A page that leaves divides what it may still send. What an earlier page left is
 * found by the ids of the destinations, whatever else stands beside them now.
 *
 * @throws {TypeError} when one is no destination, there are fewer than two, or two have the same id.
 * @example
 * tee(bucket({ endpoint: '/spandrel' }), otlp({ url: 'https://collector.example' }))
 */
export function tee(...destinations: [Destination, Destination, ...Destination[]]): Destination {
  const branches = destinations.flatMap((one: Destination | undefined) => {
    if (typeof one?.open !== 'function') refuse('tee', one, 'destinations such as bucket({ endpoint })');
    return one.branches ?? [one];
  });
  if (branches.length < 2) refuse('tee', destinations, 'two destinations or more');
  const ids = branches.map(({ id }) => id ?? '');
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) refuse('tee', twice, 'destinations with different ids');
  return {
    id: ids.join(' + '),
    branches,
    isNowhere: branches.some((one) => one.isNowhere),
    open() {
      throw new TypeError('spandrel: a tee is opened branch by branch');
    },
  };
}
