import { Exporter, type TraceExporterOptions } from './exporter.js';
import { lateSource } from './late-source.js';
import type { DeliveryHost } from './pipeline/pipeline.js';
import { createRelayOnly } from './pipeline/relay-only.js';
import { createBrowserPlatform } from './platform/browser.js';
import type { Platform } from './platform/platform.js';
import { createLate, type Late, type LateSource } from './spa/late.js';
import { unfit } from './unfit.js';

/** The exporter of `start()`: what sends comes with the second file. */
export class PageExporter extends Exporter {
  /** Not part of the public promise. */
  readonly late: Late;

  /**
   * @param platform the world; a browser's unless a test brings its own.
   * @throws {TypeError} naming the option, what it got and what it takes.
   */
  constructor(options: TraceExporterOptions, platform?: Platform, source: LateSource = lateSource) {
    let late: Late | undefined;
    const open = async (host: DeliveryHost): Promise<ReturnType<typeof createRelayOnly>> => {
      late?.want(false);
      return (late as Late).file.then(
        ({ openDelivery }) => openDelivery(host),
        (error) => {
          host.diagnostics.trouble('late-file', String(error));
          return createRelayOnly(host);
        },
      );
    };
    super(options, {
      platform(onException) {
        const world = platform ?? createBrowserPlatform(onException);
        late = createLate(world, source);
        return world;
      },
      openDelivery: open,
      hurry: () => late?.want(true),
      unfit,
    });
    this.late = late as unknown as Late;
  }
}
