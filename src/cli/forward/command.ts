import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { createBatchSender } from '../../forward/batch-sender.js';
import { forward } from '../../forward/forward.js';
import type { After } from '../../forward/forward-options.js';
import { accountedFor, type ForwardSummary } from '../../forward/summary.js';
import type { Signal } from '../../object-key.js';
import { addBucketFlags, addPrefixFlag, type BucketFlags, needBucket } from '../bucket-options.js';
import {
  type AddCommand,
  type CommonOptions,
  httpUrl,
  InvalidArgumentError,
  Option,
  wholeNumber,
} from '../command.js';
import { EXIT, messageOf, usageError } from '../failure.js';
import { rewriteByMaps } from '../maps/rewrite-by-maps.js';
import { plural, printable } from '../printable.js';
import { startProgress } from '../progress.js';
import { moment } from '../time-options.js';
import { readOnly, refrainingSender } from './dry-run.js';
import { follow } from './follow.js';
import { type HeaderFlags, headerFile, headerVariable, plainHeader, readHeaders } from './header-options.js';
import { inQuarantine, itemsInWords, LOOK_FURTHER, saySummary, windowLine } from './rows.js';

interface ForwardFlags extends CommonOptions, BucketFlags, HeaderFlags {
  prefix: string;
  to: URL;
  after: After;
  from?: number;
  until?: number;
  project?: string;
  environment?: string;
  follow?: true;
  interval: number;
  concurrency?: number;
  resolve?: true;
  dryRun?: true;
  only?: Signal;
}

/** With how to look at more, where it was not the user who said so. */
const windowOf = ({ window }: ForwardSummary): object =>
  window.lookBackMinutes === undefined ? window : { ...window, hint: LOOK_FURTHER };

/** Small objects take a third of the time that they take through a stream. */
const gunzip = (bytes: Uint8Array, maxOutputLength: number): Uint8Array =>
  gunzipSync(bytes, { maxOutputLength });

/** @throws {InvalidArgumentError} always: there was such an option once. */
function noMergeWindow(): never {
  throw new InvalidArgumentError(
    'There is none any more, and nothing waits: `spandrel compact` puts the parts of a trace together.',
  );
}

export function forwardCommand(add: AddCommand): void {
  const command = add<ForwardFlags>('forward', {
    summary: 'sends what is in a bucket to an OTLP/HTTP endpoint',
    description:
      'Sends what is in a bucket to any OTLP/HTTP endpoint: checked, stamped, untouched inside, each object once. What ' +
      'cannot be sent goes to quarantine/ with its reason. May be stopped at any time, and several may run at once: what ' +
      'is done is noted in the bucket, below spandrel-state/. Nothing waits: `spandrel compact` puts the parts of a trace ' +
      'together, and leaves out spans that are there twice.',
    examples: `
spandrel forward --to http://localhost:4318 --after keep
spandrel forward --to https://otlp.example --header-env Authorization=OTLP_AUTH --after delete --follow
spandrel forward --to http://localhost:4318 --after keep --from 24h --dry-run`,
    action: async (session, flags) => {
      const { terminal, signal } = session;
      const { storage } = await needBucket(flags, session);
      const headers = await readHeaders(flags, session);
      const dryRun = flags.dryRun === true;
      const sender = dryRun
        ? refrainingSender
        : createBatchSender({
            ...{ url: flags.to.href, headers, gunzip },
            ...(flags.resolve ? { rewrite: rewriteByMaps(storage) } : {}),
          });

      const pass = async (): Promise<ForwardSummary> => {
        const progress = startProgress(terminal, dryRun ? 'Looking' : 'Forwarding');
        try {
          return await forward({
            ...{ storage: dryRun ? readOnly(storage) : storage, sender, prefix: flags.prefix, signal },
            // What is deleted or moved is not looked for again; a dry run finds the same.
            after: flags.after,
            leases: !dryRun,
            ...(flags.only === undefined ? {} : { signals: [flags.only] }),
            ...(flags.from === undefined ? {} : { from: flags.from }),
            ...(flags.until === undefined ? {} : { until: flags.until }),
            ...(flags.project === undefined ? {} : { project: flags.project }),
            ...(flags.environment === undefined ? {} : { environment: flags.environment }),
            ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
            onProgress: (counts) =>
              progress.update(
                accountedFor(counts),
                counts.listed,
                `${itemsInWords(counts)}  ${printable(counts.folder, 60)}`,
              ),
          });
        } catch (error) {
          throw error instanceof TypeError ? usageError(messageOf(error)) : error;
        } finally {
          progress.stop();
        }
      };
      if (!flags.follow) {
        const summary = await pass();
        terminal.document({ dryRun, ...summary, window: windowOf(summary) });
        saySummary(summary, dryRun, terminal);
        return summary.ended === 'done' && inQuarantine(summary.quarantined) === 0 ? EXIT.fine : EXIT.wrong;
      }
      const totals = { passes: 0, sent: 0, spans: 0, logRecords: 0, quarantined: 0, window: {} };
      await follow({
        pass,
        ...{ pauseMillis: flags.interval * 1_000, signal },
        sleep: (millis) => delay(millis, undefined, { signal }).catch(() => undefined),
        onPass(summary, pauseMillis) {
          const { sent, spans, logRecords, quarantined, ended, message } = summary;
          const aside = inQuarantine(quarantined);
          if (totals.passes === 0)
            terminal.talk(`each pass ${windowLine(summary)}`.replace('looked', 'looks'));
          totals.window = windowOf(summary);
          totals.passes += 1;
          totals.sent += sent;
          totals.spans += spans;
          totals.logRecords += logRecords;
          totals.quarantined += aside;
          const trouble =
            ended === 'done' || ended === 'aborted'
              ? ''
              : `  ${ended}: ${printable(message ?? '')}; again in ${Math.round(pauseMillis / 1_000)} s`;
          if (!sent && !aside && !trouble) return;
          const time = new Date().toISOString().slice(11, 19);
          terminal.talk(
            `${time}  ${plural(sent, 'object')}, ${itemsInWords(summary)}${aside ? `, ${aside} quarantined` : ''}${terminal.talkColours.red(trouble)}`,
          );
        },
      });
      terminal.document({ ...totals, ended: 'aborted' });
      terminal.say(
        `${plural(totals.sent, 'object')}, ${itemsInWords(totals)} sent in ${totals.passes} passes; ${totals.quarantined} quarantined`,
      );
      return EXIT.interrupted;
    },
  })
    .addOption(
      new Option(
        '--to <url>',
        'an OTLP/HTTP endpoint; /v1/traces is added unless it is there. One with a query only by the variable',
      )
        .env('SPANDREL_TO')
        .argParser(httpUrl)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--after <what>', 'what becomes of an object that was sent; move puts it under forwarded/')
        .choices(['delete', 'move', 'keep'])
        .makeOptionMandatory(),
    )
    .option(
      '--header <name=value>',
      'a header of each request that opens nothing, such as X-Scope-OrgID; may be given again',
      plainHeader,
    )
    .option('--header-env <name=VARIABLE>', 'any other, with the value of a variable', headerVariable)
    .option('--header-file <name=FILE>', 'the same with what a file holds', headerFile)
    .option(
      '--from <time>',
      'only what was stored from then on: 2026-11-20, 2026-11-20T14:30, or 24h ago (default: all; with --after keep 7d)',
      moment,
    )
    .option('--until <time>', 'only what was stored before then', moment)
    .addOption(
      new Option(
        '--only <signal>',
        'only traces, or only logs, which go to /v1/logs (default: both)',
      ).choices(['traces', 'logs']),
    )
    .option('--project <name>', 'only this project')
    .option('--environment <name>', 'only this environment')
    .addOption(new Option('--merge-window <time>').hideHelp().argParser(noMergeWindow))
    .option('--concurrency <n>', 'requests to the store at a time (default: 16)', wholeNumber(1, 100))
    .option(
      '--resolve',
      "errors' stacks in the sources' words, where `spandrel maps upload` has put their maps",
    )
    .option('--follow', 'pass after pass until Ctrl+C, which ends after the request under way')
    .option('--interval <seconds>', 'with --follow, from one pass to the next', wholeNumber(1, 3_600), 30)
    .option('--dry-run', 'send nothing and change nothing; say what would be sent');
  command.hook('preAction', () => {
    // What stands there opens an account with some vendors.
    const isSeen =
      command.getOptionValueSource('to') === 'cli' && command.opts<ForwardFlags>().to.search !== '';
    if (isSeen)
      command.error('error: --to has a query, which may hold a secret: put the URL into SPANDREL_TO');
  });
  addPrefixFlag(addBucketFlags(command));
}
