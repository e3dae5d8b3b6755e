import { readFile } from 'node:fs/promises';
import { DEFAULT_LAYOUT } from '../object-key.js';
import { s3 } from '../server/s3.js';
import type { S3Options } from '../server/s3-options.js';
import type { Storage } from '../server/storage.js';
import { type Command, Option, type Session } from './command.js';
import { messageOf, usageError } from './failure.js';
import { explainingStorage } from './store-trouble.js';

/** Which bucket, as flags and environment say it. */
export interface BucketFlags {
  bucket?: string;
  s3Endpoint?: string;
  region?: string;
  credentials?: string;
}

/** Adds the flags that name a bucket. */
export function addBucketFlags(command: Command): Command {
  return command
    .addOption(new Option('--bucket <name>', 'the bucket').env('SPANDREL_BUCKET'))
    .addOption(
      new Option(
        '--s3-endpoint <url>',
        "where the store answers; R2's is https://<account>.r2.cloudflarestorage.com; with a region of AWS it is known",
      ).env('SPANDREL_S3_ENDPOINT'),
    )
    .addOption(new Option('--region <name>', 'the region; R2 has none').env('AWS_REGION'))
    .addOption(
      new Option(
        '--credentials <file>',
        'a file of lines such as AWS_ACCESS_KEY_ID=…, or one of AWS profiles, in the place of the environment',
      ).env('SPANDREL_CREDENTIALS'),
    );
}

export function addPrefixFlag(command: Command): Command {
  return command.addOption(
    new Option('--prefix <prefix>', 'only keys that begin so')
      .env('SPANDREL_PREFIX')
      .default(DEFAULT_LAYOUT.prefix),
  );
}

/** A bucket with credentials. */
export interface OwnedBucket {
  options: S3Options;
  storage: Storage;
}

/**
 * The bucket that flags and environment name; undefined where they name none.
 *
 * @param signal breaks requests off. What writes to the bucket goes without, and ends between two requests.
 * @throws {CliError} when they name half of one.
 */
export async function findBucket(
  flags: BucketFlags,
  session: Session,
  signal?: AbortSignal,
): Promise<OwnedBucket | undefined> {
  if (flags.bucket === undefined) return undefined;
  const variables = flags.credentials ? await readCredentials(flags.credentials, session.env) : session.env;
  const [accessKeyId, secretAccessKey] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) => {
    const value = variables[name];
    if (value) return value;
    const place = flags.credentials ? 'the file of --credentials' : 'the environment';
    throw usageError(`${name} is not in ${place}; the bucket cannot be opened without it`);
  }) as [string, string];
  const sessionToken = variables['AWS_SESSION_TOKEN'] || undefined;
  session.terminal.hide(secretAccessKey);
  session.terminal.hide(sessionToken);
  const region = flags.region ?? variables['AWS_REGION'] ?? session.env['AWS_DEFAULT_REGION'];
  const options: S3Options = {
    endpoint: flags.s3Endpoint ?? endpointOf(region),
    bucket: flags.bucket,
    accessKeyId,
    secretAccessKey,
    ...(region === undefined ? {} : { region }),
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(signal === undefined ? {} : { fetch: abortableFetch(signal) }),
  };
  try {
    return { options, storage: explainingStorage(s3(options), options.bucket, options.endpoint) };
  } catch (error) {
    throw usageError(messageOf(error).replace('option "endpoint"', '--s3-endpoint'));
  }
}

/** The same, where there must be one. */
export async function needBucket(
  flags: BucketFlags,
  session: Session,
  signal?: AbortSignal,
): Promise<OwnedBucket> {
  const bucket = await findBucket(flags, session, signal);
  if (bucket) return bucket;
  throw usageError('no bucket: give --bucket, or set SPANDREL_BUCKET');
}

function abortableFetch(signal: AbortSignal): NonNullable<S3Options['fetch']> {
  return (url, init) => {
    const signals = init.signal ? [signal, init.signal] : [signal];
    return fetch(url, { ...init, signal: AbortSignal.any(signals) });
  };
}

function endpointOf(region: string | undefined): string {
  if (region && /^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) return `https://s3.${region}.amazonaws.com`;
  throw usageError(
    'no store: give --s3-endpoint, or for AWS a --region; SPANDREL_S3_ENDPOINT and AWS_REGION do too',
  );
}

/** Reads `NAME=value` lines; of a file with `[profile]` headings, the lines of `AWS_PROFILE` or `default`. */
export function parseCredentials(text: string, profile: string): Record<string, string> {
  const found: Record<string, string> = {};
  let isMine = true;
  for (const line of text.split(/\r?\n/)) {
    const [, heading] = /^\s*\[(.*?)\]\s*$/.exec(line) ?? [];
    if (heading !== undefined) isMine = heading.replace(/^profile\s+/, '').trim() === profile;
    const [, name, value] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!isMine || name === undefined || value === undefined) continue;
    const upper = name.toUpperCase();
    found[upper === 'REGION' ? 'AWS_REGION' : upper] = value.replace(/^(["'])(.*)\1$/, '$2');
  }
  return found;
}

async function readCredentials(file: string, env: Session['env']): Promise<Record<string, string>> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw usageError(`the file of --credentials cannot be read (${cause.code ?? 'unknown error'})`);
  });
  return parseCredentials(text, env['AWS_PROFILE'] ?? 'default');
}
