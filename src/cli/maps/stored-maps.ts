import { listMaps, type StoredMap } from '../../maps/map-store.js';
import { needBucket } from '../bucket-options.js';
import type { Session } from '../command.js';
import { EXIT, type ExitCode } from '../failure.js';
import { bytesInWords, plural, printable } from '../printable.js';
import type { MapsFlags, ReleaseFlags } from './command.js';

interface ReleaseSummary {
  release: string;
  maps: number;
  /** As stored. */
  bytes: number;
  /** Of the last map, epoch milliseconds; absent where the store does not tell. */
  storedAtMillis?: number;
}

export async function listAction(
  session: Session,
  flags: MapsFlags & Partial<ReleaseFlags>,
): Promise<ExitCode> {
  const { terminal, signal } = session;
  const { storage } = await needBucket(flags, session, signal);
  const releases = new Map<string, ReleaseSummary>();
  const files: Pick<StoredMap, 'path' | 'id' | 'size' | 'key'>[] = [];
  for await (const page of listMaps(storage, flags.project, flags.release)) {
    for (const map of page) {
      count(releases, map);
      const { path, id, size, key } = map;
      if (flags.release !== undefined) files.push({ path, id, size, key });
    }
  }
  const sorted = [...releases.values()].sort((a, b) => (b.storedAtMillis ?? 0) - (a.storedAtMillis ?? 0));
  terminal.document({
    project: flags.project,
    releases: sorted,
    ...(flags.release === undefined ? {} : { files }),
  });
  for (const { release, maps, bytes, storedAtMillis } of sorted) {
    const time = storedAtMillis === undefined ? '' : new Date(storedAtMillis).toISOString().slice(0, 16);
    terminal.say(
      `${terminal.colours.bold(release)}  ${plural(maps, 'map')}, ${bytesInWords(bytes)}  ${time}`,
    );
  }
  for (const { path, id, size } of files) {
    terminal.say(`  ${printable(path)}  ${bytesInWords(size)}  ${terminal.colours.dim(id)}`);
  }
  if (sorted.length === 0) {
    const of = flags.release === undefined ? '' : ` of release ${flags.release}`;
    terminal.say(`No maps${of} in project ${flags.project}: spandrel maps upload puts them there.`);
  }
  return EXIT.fine;
}

export async function deleteAction(
  session: Session,
  flags: ReleaseFlags & { dryRun?: true },
): Promise<ExitCode> {
  const { terminal, signal } = session;
  const { project, release, dryRun = false } = flags;
  // Ends between two requests.
  const { storage } = await needBucket(flags, session);
  const releases = new Map<string, ReleaseSummary>();
  for await (const page of listMaps(storage, project, release)) {
    for (const map of page) {
      signal.throwIfAborted();
      if (!dryRun) await storage.delete(map.key);
      count(releases, map);
    }
  }
  const { maps = 0, bytes = 0 } = releases.get(release) ?? {};
  terminal.document({ project, release, dryRun, maps, bytes });
  terminal.say(
    maps === 0
      ? `No maps of release ${release} in project ${project}.`
      : `${plural(maps, 'map')} of ${release} ${dryRun ? 'would be ' : ''}deleted, ${bytesInWords(bytes)}`,
  );
  return maps === 0 ? EXIT.wrong : EXIT.fine;
}

function count(releases: Map<string, ReleaseSummary>, { release, size, storedAtMillis }: StoredMap): void {
  const known = releases.get(release) ?? { release, maps: 0, bytes: 0 };
  const last = Math.max(known.storedAtMillis ?? 0, storedAtMillis ?? 0);
  releases.set(release, {
    ...{ release, maps: known.maps + 1, bytes: known.bytes + size },
    ...(last ? { storedAtMillis: last } : {}),
  });
}
