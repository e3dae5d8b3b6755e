import { splitKey } from '../server/forwarded.js';
import type { FolderNotes } from './done-notes.js';
import type { Settler } from './settle.js';
import type { ForwardCounts } from './summary.js';

/**
 * Leaves out objects of one folder that are noted as done, and removes them: a crash left them, or a page put them
 * again that had not heard. @throws {StorageError}
 */
export async function leaveOutDone<T extends { key: string }>(
  objects: readonly T[],
  { notes, settler, counts }: { notes: FolderNotes; settler: Settler; counts: ForwardCounts },
): Promise<T[]> {
  const done = await notes.of(objects);
  const undone: T[] = [];
  const noted = objects.flatMap((object) => {
    const fate = done.get(splitKey(object.key).name);
    if (fate) return [{ key: object.key, fate }];
    undone.push(object);
    return [];
  });
  await settler.removeNoted(noted);
  counts.alreadyDone += noted.length;
  return undone;
}
