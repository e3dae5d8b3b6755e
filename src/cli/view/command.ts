import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createMapCache } from '../../maps/map-cache.js';
import type { Storage } from '../../server/storage.js';
import {
  addBucketFlags,
  addPrefixFlag,
  type BucketFlags,
  findBucket,
  needBucket,
} from '../bucket-options.js';
import { type AddCommand, type CommonOptions, Option, type Session, wholeNumber } from '../command.js';
import { CliError, EXIT, messageOf, usageError } from '../failure.js';
import { plural } from '../printable.js';
import { duration } from '../time-options.js';
import { windowInWords } from '../window.js';
import { bucketSource } from './bucket-source.js';
import { folderSource } from './folder-source.js';
import { openBrowser } from './open-browser.js';
import { createOverview } from './overview/overview.js';
import { serveViewer } from './server.js';
import type { ViewSource } from './source.js';

interface ViewFlags extends CommonOptions, BucketFlags {
  prefix: string;
  last: number | 'all';
  port: number;
  open?: true;
  interval: number;
}

const DAY_MILLIS = 86_400_000;
const LOOK_FURTHER = '--last 7d, or all, looks further back';

export function viewCommand(add: AddCommand): void {
  const command = add<ViewFlags>('view [path]', {
    summary: 'shows the traces of a bucket, folder or file in your browser',
    description:
      'Shows the traces of a bucket, of a folder or of one file in your browser, on 127.0.0.1, read-only, until Ctrl+C. ' +
      'New ones appear by themselves. Takes .json.gz and .json files of OTLP/JSON, whoever wrote them.',
    examples: `
spandrel view ./traces --open
spandrel view trace.json
spandrel view --bucket traces --s3-endpoint https://<account>.r2.cloudflarestorage.com --last 2h`,
    action: async (session, flags, [target]) => {
      const { terminal, signal } = session;
      const { source, storage } =
        target === undefined ? await fromBucket(flags, session) : await fromPath(target, flags, session);
      // Read once before anything is served: a wrong credential is told here, and not in the page.
      const objects = await source.list();
      const overview = createOverview({
        source,
        questions: fileURLToPath(new URL('./questions/', import.meta.url)),
      });
      const server = await serveViewer({
        source,
        overview,
        maps: storage && createMapCache({ storage }),
        files: fileURLToPath(new URL('./viewer/', import.meta.url)),
        port: flags.port,
        intervalMillis: flags.interval * 1_000,
        onError: (message) => terminal.talk(`${terminal.talkColours.yellow('!')} ${message}`),
      }).catch((cause: NodeJS.ErrnoException) => {
        throw cause.code === 'EADDRINUSE'
          ? usageError(`port ${flags.port} is taken: give another --port`)
          : cause;
      });
      const url = `${server.origin}/viewer/`;
      const { sinceMillis } = source;
      const window =
        sinceMillis === undefined ? {} : { window: { fromMillis: sinceMillis, hint: LOOK_FURTHER } };
      terminal.document({ url, source: source.name, objects: objects.length, ...window });
      const bound = sinceMillis === undefined ? '' : windowInWords({ fromMillis: sinceMillis });
      terminal.say(
        `${source.name}: ${plural(objects.length, 'object')}${bound && ` of ${bound}; ${LOOK_FURTHER}`}`,
      );
      terminal.say(`${terminal.colours.bold(url)}  ${terminal.colours.dim('Ctrl+C ends it.')}`);
      if (flags.open) openBrowser(url);
      try {
        if (!signal.aborted) await once(signal, 'abort');
      } finally {
        await server.close();
        await overview.close();
      }
      return EXIT.interrupted;
    },
  })
    .addOption(
      new Option('--last <time>', 'of a bucket, what was stored in this time: 90m, 24h, 7d, or all')
        .argParser(takeLast)
        .default(DAY_MILLIS, '24h'),
    )
    .option('--port <n>', 'default: a free one', wholeNumber(0, 65_535), 0)
    .option(
      '--interval <seconds>',
      'how often to look for new objects while a page is open',
      wholeNumber(1, 3_600),
      5,
    )
    .option('--open', 'open the browser');
  addPrefixFlag(addBucketFlags(command));
}

const takeLast = (text: string): number | 'all' => (text === 'all' ? text : duration(text));

interface Viewed {
  source: ViewSource;
  /** Where maps may be. */
  storage: Storage | undefined;
}

async function fromBucket(flags: ViewFlags, session: Session): Promise<Viewed> {
  const { storage, options } = await needBucket(flags, session, session.signal).catch((error: unknown) => {
    const isNone = error instanceof CliError && flags.bucket === undefined;
    throw isNone ? usageError('nothing to view: give a folder, or --bucket') : error;
  });
  const sinceMillis = flags.last === 'all' ? undefined : Date.now() - flags.last;
  const name = `${options.bucket}/${flags.prefix}`;
  return { source: bucketSource({ storage, name, prefix: flags.prefix, sinceMillis }), storage };
}

async function fromPath(target: string, flags: ViewFlags, session: Session): Promise<Viewed> {
  const source = await folderSource(target).catch((cause: unknown) => {
    throw usageError(`it cannot be read: ${messageOf(cause)}`);
  });
  // Traces that were pulled have their maps in the bucket, where that is named; without it they are shown all the same.
  const bucket = await findBucket(flags, session, session.signal).catch(() => undefined);
  return { source, storage: bucket?.storage };
}
