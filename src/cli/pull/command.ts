import { mkdir } from 'node:fs/promises';
import { addBucketFlags, addPrefixFlag, type BucketFlags, needBucket } from '../bucket-options.js';
import { type AddCommand, type CommonOptions, wholeNumber } from '../command.js';
import { EXIT, messageOf, usageError } from '../failure.js';
import { rewriteByMaps } from '../maps/rewrite-by-maps.js';
import { walkObjects } from '../object-walk.js';
import { bytesInWords, plural, printable } from '../printable.js';
import { startProgress } from '../progress.js';
import { moment } from '../time-options.js';
import { windowInWords } from '../window.js';
import { pull } from './pull.js';

interface PullFlags extends CommonOptions, BucketFlags {
  prefix: string;
  from?: number;
  until?: number;
  inflate?: true;
  resolve?: true;
  concurrency: number;
  maxBytes: number;
}

const GIBIBYTE = 1_073_741_824;

export function pullCommand(add: AddCommand): void {
  const command = add<PullFlags>('pull <folder>', {
    summary: 'copies objects to files',
    description:
      'Copies objects to files under the same paths. Files that are there with the same size are left alone, so it can ' +
      'be run again; a file has its name only when it is whole.',
    examples: `
spandrel pull ./traces --bucket traces --s3-endpoint https://<account>.r2.cloudflarestorage.com
spandrel pull ./traces --from 24h --inflate --resolve
spandrel pull ./traces --from 2026-11-20 --until 2026-11-21T06:00 --prefix otlp/v1/shop/production`,
    action: async (session, flags, [folder = '']) => {
      const { terminal, signal } = session;
      if (flags.from !== undefined && flags.until !== undefined && flags.from >= flags.until) {
        throw usageError('--from must be before --until');
      }
      const { storage } = await needBucket(flags, session, signal);
      await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
        throw usageError(`the folder cannot be made: ${messageOf(cause)}`);
      });
      const progress = startProgress(terminal, 'Pulling');
      const window = {
        ...(flags.from === undefined ? {} : { fromMillis: flags.from }),
        ...(flags.until === undefined ? {} : { untilMillis: flags.until }),
      };
      const walk = { prefix: flags.prefix, signal, ...window };
      const summary = await pull({
        storage,
        pages: walkObjects(storage, walk),
        ...{
          folder,
          inflate: flags.inflate === true,
          rewrite: flags.resolve && rewriteByMaps(storage),
          concurrency: flags.concurrency,
          maxBytes: flags.maxBytes,
          signal,
        },
        onProgress: ({ listed, written, skipped, vanished, failed, bytes }) =>
          progress.update(written + skipped + vanished + failed, listed, bytesInWords(bytes)),
      }).finally(progress.stop);
      terminal.document({ ...summary, window });
      for (const { key, message } of summary.failures)
        terminal.talk(`${terminal.talkColours.red('✗')} ${key}: ${message}`);
      const { listed, written, skipped, vanished, failed, bytes } = summary;
      const rest = [
        ...(skipped ? [`${skipped.toLocaleString('en')} there already`] : []),
        ...(vanished ? [`${vanished.toLocaleString('en')} vanished`] : []),
        ...(failed ? [terminal.colours.red(`${failed.toLocaleString('en')} failed`)] : []),
      ];
      terminal.say(
        [
          `${written.toLocaleString('en')} of ${plural(listed, 'object')} written, ${bytesInWords(bytes)}`,
          ...rest,
        ].join('; '),
      );
      terminal.say(
        terminal.colours.dim(`looked at ${windowInWords(window)} under ${printable(flags.prefix)}`),
      );
      return failed ? EXIT.wrong : EXIT.fine;
    },
  })
    .option(
      '--from <time>',
      'only what was stored from then on: 2026-11-20, 2026-11-20T14:30, or 24h ago',
      moment,
    )
    .option('--until <time>', 'only what was stored before then', moment)
    .option('--inflate', 'write .json instead of .json.gz')
    .option(
      '--resolve',
      "errors' stacks in the sources' words, where `spandrel maps upload` has put their maps",
    )
    .option('--concurrency <n>', 'objects fetched at one time', wholeNumber(1, 64), 8)
    .option(
      '--max-bytes <n>',
      'larger objects are left out, and nothing is inflated further',
      wholeNumber(1, GIBIBYTE),
      67_108_864,
    );
  addPrefixFlag(addBucketFlags(command));
}
