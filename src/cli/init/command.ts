import { fileURLToPath } from 'node:url';
import type { AddCommand, CommonOptions, Session } from '../command.js';
import { EXIT, type ExitCode, usageError } from '../failure.js';
import { RECIPES, type Recipe } from './recipes.js';
import { type FileOutcome, type FileStatus, writeFiles } from './write-files.js';

interface InitFlags extends CommonOptions {
  dryRun?: true;
  force?: true;
}

const PLATFORMS = Object.keys(RECIPES);

export function initCommand(add: AddCommand): void {
  add<InitFlags>('init <platform>', {
    summary: 'writes an endpoint, a page and the names of the variables into this folder',
    description:
      'Writes what the first ten minutes need into this folder: an endpoint for Workers, Node or Hono, a page with the ' +
      'script tag, and .env.example. It asks nothing, writes no secret, and leaves what is there as it is.',
    examples: `
spandrel init node
spandrel init workers --dry-run`,
    action: async ({ terminal }, { dryRun = false, force = false }, [platform = '']) => {
      const recipe = Object.hasOwn(RECIPES, platform) ? RECIPES[platform] : undefined;
      if (!recipe) throw usageError(`no platform "${platform}": it takes ${PLATFORMS.join(', ')}`);
      const outcomes = await writeFiles(recipe.files, {
        ...{ folder: process.cwd(), force, dryRun },
        templates: fileURLToPath(new URL('./init/', import.meta.url)),
      });
      terminal.document({ platform, dryRun, files: outcomes, next: recipe.next });
      return tell(terminal, outcomes, recipe, dryRun);
    },
  })
    .option('--dry-run', 'write nothing, and say what would be written')
    .option('--force', 'write over files that are there');
}

function tell(
  { say, colours }: Session['terminal'],
  outcomes: readonly FileOutcome[],
  { next }: Recipe,
  dryRun: boolean,
): ExitCode {
  const would = dryRun ? 'would be ' : '';
  const words: Record<FileStatus, string> = {
    written: colours.green(`${would}written`),
    overwritten: colours.yellow(`${would}overwritten`),
    same: colours.dim('there already, the same'),
    left: colours.yellow('there already, another: left as it is; --force writes over it'),
  };
  const width = Math.max(...outcomes.map(({ path }) => path.length));
  for (const { path, about, status } of outcomes)
    say(`${path.padEnd(width)}  ${words[status]}  ${colours.dim(about)}`);
  const isLeft = outcomes.some(({ status }) => status === 'left');
  if (!dryRun) {
    say();
    say('What is left to do:');
    for (const [at, step] of next.entries()) say(`${at + 1}. ${step}`);
  }
  return isLeft ? EXIT.wrong : EXIT.fine;
}
