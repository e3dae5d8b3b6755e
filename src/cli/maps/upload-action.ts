import { stat } from 'node:fs/promises';
import { needBucket } from '../bucket-options.js';
import type { Session } from '../command.js';
import { EXIT, type ExitCode, messageOf, usageError } from '../failure.js';
import { bytesInWords, plural, printable } from '../printable.js';
import { startProgress } from '../progress.js';
import type { ReleaseFlags } from './command.js';
import { uploadMaps } from './upload-maps.js';

const MAX_TOLD = 20;

export async function uploadAction(
  session: Session,
  flags: ReleaseFlags,
  [folder = '']: string[],
): Promise<ExitCode> {
  const { terminal, signal } = session;
  const about = await stat(folder).catch((cause: unknown) => {
    throw usageError(`the folder cannot be read: ${messageOf(cause)}`);
  });
  if (!about.isDirectory())
    throw usageError(`${printable(folder)} is no folder: give the one that is published`);
  const { storage } = await needBucket(flags, session, signal);
  const { project, release } = flags;
  const progress = startProgress(terminal, 'Uploading');
  const summary = await uploadMaps({
    ...{ storage, folder, project, release, signal },
    onProgress: ({ done, scripts, bytes }) => progress.update(done, scripts, bytesInWords(bytes)),
  }).finally(progress.stop);
  const { uploaded, stored, withoutMap, bytes, debugIds, failures } = summary;
  terminal.document({ project, release, ...summary });
  for (const { path, message } of failures.slice(0, MAX_TOLD)) {
    terminal.talk(`${terminal.talkColours.red('✗')} ${printable(path)}: ${printable(message, 400)}`);
  }
  if (failures.length > MAX_TOLD) terminal.talk(`and ${failures.length - MAX_TOLD} more`);
  const parts = [
    `${plural(uploaded, 'map')} of ${release} uploaded, ${bytesInWords(bytes)}`,
    ...(stored ? [`${stored.toLocaleString('en')} there already`] : []),
    ...(debugIds ? [`${debugIds.toLocaleString('en')} with a debug id`] : []),
    ...(withoutMap ? [`${plural(withoutMap, 'script')} without a map`] : []),
    ...(failures.length ? [terminal.colours.red(`${failures.length.toLocaleString('en')} failed`)] : []),
  ];
  terminal.say(parts.join('; '));
  if (uploaded + stored + failures.length === 0) {
    terminal.talk(
      'No script here has a map: build with source maps (sourcemap: true, or "hidden"), then upload.',
    );
    return EXIT.wrong;
  }
  if (uploaded + stored > 0) {
    terminal.say(terminal.colours.dim('Now delete the .map files from what you publish.'));
  }
  return failures.length ? EXIT.wrong : EXIT.fine;
}
