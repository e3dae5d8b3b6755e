import { gunzipSync, gzipSync } from 'node:zlib';
import { compact } from '../../compact/compact.js';
import type { CompactOptions } from '../../compact/compact-options.js';
import { checkBucketOptions } from '../../compact/compact-settings.js';
import type { PeriodLength } from '../../compact/period.js';
import { accountedFor } from '../../compact/summary.js';
import { isKeyPrefix } from '../../object-key.js';
import { addBucketFlags, addPrefixFlag, type BucketFlags, needBucket } from '../bucket-options.js';
import {
  type AddCommand,
  type Command,
  type CommonOptions,
  InvalidArgumentError,
  Option,
  wholeNumber,
} from '../command.js';
import { EXIT, messageOf, usageError } from '../failure.js';
import { readOnly } from '../forward/dry-run.js';
import { plural, printable } from '../printable.js';
import { startProgress } from '../progress.js';
import { duration, moment } from '../time-options.js';
import { writeParquet } from './parquet.js';
import { inQuarantine, sayParquet, saySummary } from './rows.js';

/** What `compact` and `erase` are both told of a bucket. */
export interface ScopeFlags extends BucketFlags {
  prefix: string;
  project?: string;
  environment?: string;
  from?: number;
  until?: number;
  every: PeriodLength;
  concurrency?: number;
}

interface CompactFlags extends CommonOptions, ScopeFlags {
  grace?: number;
  dropBots?: true;
  agents?: true;
  drop?: string[];
  hash?: string[];
  hashKeyEnv?: string;
  retain?: string;
  parquet?: string | true;
  dryRun?: true;
}

export const scopeOf = (flags: ScopeFlags): Omit<CompactOptions, 'storage'> => ({
  prefix: flags.prefix,
  period: flags.every,
  // Through streams, small objects take three times as long.
  gunzip: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  gzip: (text) => new Uint8Array(gzipSync(text)),
  ...(flags.project === undefined ? {} : { project: flags.project }),
  ...(flags.environment === undefined ? {} : { environment: flags.environment }),
  ...(flags.from === undefined ? {} : { from: flags.from }),
  ...(flags.until === undefined ? {} : { until: flags.until }),
  ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
});

/** Adds the flags that say which objects. */
export function addScopeFlags(command: Command): Command {
  const scoped = command
    .option(
      '--from <time>',
      'only what was stored from then on: 2026-11-20, 2026-11-20T14:30, or 24h ago',
      moment,
    )
    .option('--until <time>', 'only what was stored before then', moment)
    .option('--project <name>', 'only this project')
    .option('--environment <name>', 'only this environment')
    .addOption(
      new Option('--every <period>', 'how much becomes one object; the same for all who work on a bucket')
        .choices(['minute', 'hour', 'day'])
        .default('hour'),
    )
    .option('--concurrency <n>', 'requests to the store at a time (default: 16)', wholeNumber(1, 100));
  return addPrefixFlag(addBucketFlags(scoped));
}

const several = (text: string, before: string[] = []): string[] => [...before, text];

function parquetPrefix(text: string): string {
  if (isKeyPrefix(text)) return text;
  throw new InvalidArgumentError('It takes key segments joined by single slashes, such as parquet/v1.');
}

export function compactCommand(add: AddCommand): void {
  const command = add<CompactFlags>('compact', {
    summary: 'makes one object of those of each hour',
    description:
      'Makes one object of all objects of each hour that is over, for each project and environment: the same spans, each ' +
      'once, under the same layout, so that whoever reads the bucket reads on. What cannot be read goes to quarantine/ with ' +
      'its reason. May be stopped at any time, and several may run at once, beside forward: what is done is noted in the ' +
      'bucket, below spandrel-state/. Run it each hour; what came late is added then.',
    examples: `
spandrel compact
spandrel compact --drop-bots --agents --retain "errors 90d, rest 14d"
spandrel compact --drop url.query --hash user.id --hash-key-env HASH_KEY
spandrel compact --parquet
spandrel compact --from 7d --dry-run`,
    action: async (session, flags) => {
      const { terminal, signal } = session;
      const { storage } = await needBucket(flags, session);
      const hashKey = flags.hashKeyEnv === undefined ? undefined : session.env[flags.hashKeyEnv];
      if (flags.hashKeyEnv !== undefined && !hashKey) {
        throw usageError(`${flags.hashKeyEnv} is not in the environment; --hash-key-env wants it`);
      }
      terminal.hide(hashKey);
      const dryRun = flags.dryRun === true;
      const progress = startProgress(terminal, dryRun ? 'Looking' : 'Compacting');
      try {
        const summary = await compact({
          ...{ ...scopeOf(flags), storage: dryRun ? readOnly(storage) : storage, signal },
          bots: flags.dropBots ? 'drop' : 'keep',
          agents: flags.agents === true,
          drop: flags.drop ?? [],
          hash: flags.hash ?? [],
          ...(hashKey === undefined ? {} : { hashKey }),
          ...(flags.grace === undefined ? {} : { graceMillis: flags.grace }),
          ...(flags.retain === undefined ? {} : { retain: flags.retain }),
          onProgress: (counts) =>
            progress.update(
              accountedFor(counts),
              counts.listed,
              `${plural(counts.spans, 'span')}  ${printable(counts.folder, 60)}`,
            ),
        });
        progress.stop();
        const parquet =
          flags.parquet !== undefined && !dryRun && summary.ended === 'done'
            ? await writeParquet(checkBucketOptions({ ...scopeOf(flags), storage, signal }), {
                parquetPrefix: flags.parquet === true ? 'parquet' : flags.parquet,
                graceMillis: flags.grace ?? 600_000,
              })
            : undefined;
        terminal.document({ dryRun, ...summary, ...(parquet && { parquet }) });
        saySummary(summary, dryRun, terminal);
        if (parquet) sayParquet(parquet, terminal);
        const isWell = summary.ended === 'done' && inQuarantine(summary.quarantined) === 0;
        return isWell ? EXIT.fine : EXIT.wrong;
      } catch (error) {
        throw error instanceof TypeError ? usageError(messageOf(error)) : error;
      } finally {
        progress.stop();
      }
    },
  })
    .option('--grace <time>', 'how long an hour has to be over: 10m, 2h (default: 10m)', duration)
    .option('--drop-bots', 'leave out traces and sessions of bots, by their user agent')
    .option('--agents', 'write browser, system and device beside each user agent')
    .option('--drop <attribute>', 'an attribute that goes, whatever it is on; may be given again', several)
    .option('--hash <attribute>', 'an attribute of which a hash stays; may be given again', several)
    .option('--hash-key-env <VARIABLE>', 'the variable that holds the secret of these hashes')
    .option('--retain <ages>', 'for how long traces are kept: "errors 90d, rest 14d" (default: for ever)')
    .addOption(
      new Option(
        '--parquet [prefix]',
        'then write each day that is over as Parquet, below parquet/ or another prefix; needs @duckdb/node-api',
      ).argParser(parquetPrefix),
    )
    .option('--dry-run', 'change nothing; say what would be done');
  addScopeFlags(command);
}
