import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CliError } from '../failure.js';
import type { InitFile } from './recipes.js';

/**
 * What became of a file, or would become of it: `written`; `overwritten`, with `force`; `same`, it is there as it would be
 * written; `left`, another is there.
 */
export type FileStatus = 'written' | 'overwritten' | 'same' | 'left';

export interface FileOutcome {
  path: string;
  about: string;
  status: FileStatus;
}

export interface WriteOptions {
  /** The folder that is written to. */
  folder: string;
  /** The folder of the templates. */
  templates: string;
  /** Write over what is there. */
  force: boolean;
  /** Only look. */
  dryRun: boolean;
}

/**
 * Writes the files in order. What is there is never lost without `force`, not even where it comes to be there meanwhile.
 *
 * @throws {CliError} naming the file that cannot be read or written.
 */
export async function writeFiles(
  files: readonly InitFile[],
  { folder, templates, force, dryRun }: WriteOptions,
): Promise<FileOutcome[]> {
  const outcomes: FileOutcome[] = [];
  for (const { path: name, template, about } of files) {
    const text = await readFile(path.join(templates, template), 'utf8');
    const file = path.join(folder, name);
    const present = await attempt(name, 'read', () => readIfThere(file));
    const status = statusOf(text, present, force);
    if (!dryRun && (status === 'written' || status === 'overwritten')) {
      await attempt(name, 'written', async () => {
        await mkdir(path.dirname(file), { recursive: true });
        // `wx`: not where a file came to be meanwhile, nor through a link that leads nowhere.
        await writeFile(file, text, { flag: status === 'written' ? 'wx' : 'w' });
      });
    }
    outcomes.push({ path: name, about, status });
  }
  return outcomes;
}

function statusOf(text: string, present: string | undefined, force: boolean): FileStatus {
  if (present === undefined) return 'written';
  if (present === text) return 'same';
  return force ? 'overwritten' : 'left';
}

const readIfThere = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });

/** @throws {CliError} */
async function attempt<T>(name: string, verb: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new CliError(`${name} cannot be ${verb} (${code})`, { cause });
  }
}
