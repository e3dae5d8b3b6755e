/** A destination may be anybody's: what it throws reaches neither the page nor what waits. */
import type { Destination, DestinationDeps, OpenDestination } from './destination.js';

type Method = Exclude<keyof OpenDestination, 'send' | 'settle'>;

const METHODS: readonly Method[] = [
  ...(['sendNow', 'sendLater', 'relay', 'hold', 'receiptOf', 'tell', 'leave', 'ask', 'close'] as const),
];

/** Opens `destination`. What it throws is counted; what cannot be opened fails each attempt. */
export function openGuarded(destination: Destination, deps: DestinationDeps): OpenDestination {
  const { guard, theirs } = deps.diagnostics;
  const open = guard(() => destination.open(deps));
  if (!open) return { send: async () => ({ status: 'retryable', cause: 'not opened' }), close() {} };
  const guarded: Record<string, unknown> = {
    // What it throws or answers amiss is a failed attempt.
    send: destination.isOurs ? open.send : (blob: never) => theirs(() => open.send(blob)),
    settle: () => open.settle?.(),
  };
  for (const name of METHODS) {
    const method = open[name] as ((...args: unknown[]) => unknown) | undefined;
    if (method) guarded[name] = (...args: unknown[]) => guard(() => method.apply(open, args));
  }
  return guarded as unknown as OpenDestination;
}
