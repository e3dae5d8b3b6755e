import { isRelease, RELEASE_TAKES } from '../../maps/map-key.js';
import { DEFAULT_PROJECT, isKeySegment } from '../../object-key.js';
import { addBucketFlags, type BucketFlags } from '../bucket-options.js';
import {
  type AddCommand,
  type Command,
  type CommonOptions,
  InvalidArgumentError,
  Option,
} from '../command.js';
import { deleteAction, listAction } from './stored-maps.js';
import { uploadAction } from './upload-action.js';

export interface MapsFlags extends CommonOptions, BucketFlags {
  project: string;
}

export interface ReleaseFlags extends MapsFlags {
  release: string;
}

const WHERE = 'Maps lie under maps/ of the bucket of the traces, which nobody but its owner reads.';

/** Adds `maps upload`, `maps list` and `maps delete` to the group `maps`. */
export function mapsCommands(add: AddCommand): void {
  const upload = add<ReleaseFlags>('upload <folder>', {
    summary: 'puts the source maps of a build into the bucket',
    description:
      `Puts the source maps of what a bundler has written into the bucket, under its release. ${WHERE} It can be run ` +
      'again: what is stored is left alone. The release is what the pages say: start({ version }).',
    examples: `
spandrel maps upload dist --release 1.4.2 --bucket traces --s3-endpoint https://<account>.r2.cloudflarestorage.com
spandrel maps upload .next/static --release "$GITHUB_SHA" --project shop`,
    action: uploadAction,
  });
  addReleaseFlag(upload).makeOptionMandatory();
  addProjectFlag(upload);

  const list = add<MapsFlags & Partial<ReleaseFlags>>('list', {
    summary: 'says of which releases there are maps',
    description: `Says of which releases there are maps; with --release, of which files. ${WHERE}`,
    examples: `
spandrel maps list
spandrel maps list --release 1.4.2 --json`,
    action: listAction,
  });
  addReleaseFlag(list);
  addProjectFlag(list);

  const remove = add<ReleaseFlags & { dryRun?: true }>('delete', {
    summary: 'deletes the maps of a release',
    description:
      'Deletes the maps of one release. Stacks of that release are then shown as browsers wrote them.',
    examples: `
spandrel maps delete --release 1.4.2
spandrel maps delete --release 1.4.2 --dry-run`,
    action: deleteAction,
  });
  addReleaseFlag(remove).makeOptionMandatory();
  addProjectFlag(remove).option('--dry-run', 'say what would be deleted, and delete nothing');
}

function addReleaseFlag(command: Command): Option {
  const option = new Option('--release <name>', 'as the pages say it: start({ version })')
    .env('SPANDREL_RELEASE')
    .argParser((text) => {
      if (isRelease(text)) return text;
      throw new InvalidArgumentError(`It takes ${RELEASE_TAKES}.`);
    });
  addBucketFlags(command).addOption(option);
  return option;
}

function addProjectFlag(command: Command): Command {
  return command.addOption(
    new Option('--project <name>', 'as the pages say it')
      .env('SPANDREL_PROJECT')
      .default(DEFAULT_PROJECT)
      .argParser((text) => {
        if (isKeySegment(text)) return text;
        throw new InvalidArgumentError(
          'It takes 1 to 64 letters, digits and . _ -, the first a letter or digit.',
        );
      }),
  );
}
