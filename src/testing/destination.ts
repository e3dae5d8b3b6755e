/** A destination of somebody else's making, whose every word is the test's. For tests only. */
import type { Destination, DestinationDeps, OpenDestination } from '../destinations/destination.js';
import type { Outcome, TraceBlob } from '../pipeline/model.js';

export interface TestDestination extends Destination {
  /** What its owner gave it when it was opened, each time. */
  readonly opened: DestinationDeps[];
  /** Every send so far. */
  readonly sends: TraceBlob[];
  /** Ids of the blobs that it took, as often as it took them. */
  readonly stored: string[];
  /** What has been called, other than `send`, in order. */
  readonly calls: string[];
  /** What a send comes to, from now on; a function may throw or reject. */
  outcome: Outcome | ((blob: TraceBlob) => Promise<Outcome>);
}

/** @param overrides in place of what an ordinary one does; `open` runs before the rest. */
export function testDestination(
  id: string,
  overrides: Partial<OpenDestination> & { open?(deps: DestinationDeps): void } = {},
): TestDestination {
  const { open, ...methods } = overrides;
  const self: TestDestination = {
    id,
    opened: [],
    sends: [],
    stored: [],
    calls: [],
    outcome: { status: 'stored' },
    open(deps) {
      self.opened.push(deps);
      open?.(deps);
      return {
        async send(blob) {
          self.sends.push(blob);
          const { outcome } = self;
          const came = typeof outcome === 'function' ? await outcome(blob) : outcome;
          if (came.status === 'stored') self.stored.push(blob.id);
          return came;
        },
        leave: () => void self.calls.push('leave'),
        settle: async () => void self.calls.push('settle'),
        close: () => void self.calls.push('close'),
        ...methods,
      };
    },
  };
  return self;
}
