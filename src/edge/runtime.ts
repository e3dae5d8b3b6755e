/** Which runtime this is, by what it says of itself. */
import type { Attributes } from '@opentelemetry/api';

export interface Runtime {
  /** `workerd`, `edge-runtime`, `deno`, `bun`, `nodejs`, or `unknown`. */
  readonly name: string;
  /**
   * Whether clocks stand still while code runs, and move with input and output alone. Cloudflare's do, against timing
   * attacks: a span's duration is the time that it waited. (workerd on a machine of one's own lets them run.)
   *
   * @see https://developers.cloudflare.com/workers/reference/security-model/#step-1-disallow-timers-and-multi-threading
   */
  readonly isClockFrozen: boolean;
  /** Whether it is a function that the platform starts for an event, and not a server that runs on and on. */
  readonly isFunction: boolean;
  /** What a resource says of it. */
  readonly attributes: Attributes;
}

interface Scope {
  navigator?: { userAgent?: string };
  EdgeRuntime?: unknown;
  Deno?: { version?: { deno?: string } };
  Bun?: { version?: string };
  process?: { versions?: { node?: string } };
}

/** @param scope the global object. */
export function runtimeOf(scope: object = globalThis): Runtime {
  const { navigator, EdgeRuntime, Deno, Bun, process } = scope as Scope;
  const isWorkerd = navigator?.userAgent === 'Cloudflare-Workers';
  const isVercel = !isWorkerd && EdgeRuntime !== undefined;
  // Deno and Bun have a `process` as well, and workerd may.
  const [name, version] = isWorkerd
    ? ['workerd']
    : isVercel
      ? ['edge-runtime']
      : Deno
        ? ['deno', Deno.version?.deno]
        : Bun
          ? ['bun', Bun.version]
          : process?.versions?.node
            ? ['nodejs', process.versions.node]
            : ['unknown'];
  return {
    name: name as string,
    isClockFrozen: isWorkerd,
    isFunction: isWorkerd || isVercel,
    attributes: {
      'telemetry.sdk.language': name === 'nodejs' ? name : 'javascript',
      'process.runtime.name': name,
      ...(version && { 'process.runtime.version': version }),
      // As Cloudflare's own spans say.
      ...(isWorkerd && { 'cloud.provider': 'cloudflare', 'cloud.platform': 'cloudflare.workers' }),
    },
  };
}
