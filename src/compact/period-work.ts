import { byFolder } from '../forward/folder.js';
import { splitKey } from '../server/forwarded.js';
import type { Candidate } from './choose.js';
import type { CompactSettings } from './compact-settings.js';
import { type CompactedId, compactedKey, type Period } from './period.js';
import { type Aside, type Part, readParts } from './read-parts.js';
import type { Workshop } from './replace.js';
import type { Kept } from './retention.js';
import { createRules } from './rules.js';
import { requestOf, withoutTwins } from './span-text.js';
import type { CompactCounts } from './summary.js';

/** How a period is worked on. */
export interface Plan {
  /** Of objects that have one fate, those that are to become one. */
  choose(objects: readonly Candidate[]): Candidate[];
  kept: Kept;
}

export interface PeriodWork {
  /** Whether spans are changed or left out on the way, so that an object that is alone is written anew. */
  readonly isChanging: boolean;
  /** Takes the leases, looks at the notes, and makes of what is chosen as few as it fits into. @throws {StorageError} */
  run(period: Period, objects: readonly Candidate[], plan: Plan): Promise<void>;
}

/** What readers take, and what is written by a wide margin does not reach. Inflated bytes per byte. */
const MARGIN = 0.9;

export function createPeriodWork(
  workshop: Workshop,
  settings: CompactSettings,
  counts: CompactCounts,
): PeriodWork {
  const rules = createRules(settings.rules);
  /** Tells apart what is made by other rules. The key of hashes is a secret, and stays out. */
  const purpose = JSON.stringify([{ ...settings.rules, hashKey: '' }, settings.retention]);
  const { storage, notes, settler } = workshop;

  /** Leaves out what was done with before, and removes it as far as it is still there. */
  async function undone(objects: readonly Candidate[]): Promise<{ sent: Candidate[]; unsent: Candidate[] }> {
    const groups: { sent: Candidate[]; unsent: Candidate[] } = { sent: [], unsent: [] };
    for (const [folder, some] of byFolder(objects)) {
      const done = await (await notes.open(folder)).of(some);
      const over = some.flatMap((object) => {
        const fate = done.get(splitKey(object.key).name);
        if (fate === undefined) groups[object.compacted?.isSent ? 'sent' : 'unsent'].push(object);
        else if (fate === 'sent') groups.sent.push(object);
        else if (fate === 'left') counts.kept += 1;
        else return [{ key: object.key, fate }];
        return [];
      });
      await settler.removeNoted(over);
      counts.leftOver += over.length;
    }
    return groups;
  }

  async function write(part: Part, period: Period, id: CompactedId, kept: Kept): Promise<void> {
    const { inputs, readBytes } = part;
    const once = withoutTwins(part.spans);
    const { spans, botSpans, expiredSpans } = rules.filter(once, kept);
    counts.readBytes += readBytes;
    if (spans.length === 0) await workshop.replace({ inputs, isSent: id.isSent });
    else {
      const text = requestOf(spans);
      const bytes = await settings.gzip(text);
      const { maxInflatedBytes, maxInflateRatio, maxObjectBytes } = settings.limits;
      const isTaken =
        text.length <= maxInflatedBytes * MARGIN &&
        text.length <= bytes.length * maxInflateRatio * MARGIN &&
        bytes.length <= maxObjectBytes;
      // Some readers would not take what all of them took apart.
      if (!isTaken) {
        counts.kept += inputs.length;
        return;
      }
      const keys = inputs.map(({ key }) => key);
      const key = await compactedKey(period, id, keys, purpose);
      await workshop.replace({ inputs, output: { key, bytes }, isSent: id.isSent });
      counts.written += 1;
      counts.writtenBytes += bytes.length;
    }
    counts.compacted += inputs.length;
    counts.spans += spans.length;
    counts.duplicateSpans += part.spans.length - once.length;
    counts.botSpans += botSpans;
    counts.expiredSpans += expiredSpans;
  }

  return {
    isChanging: rules.areAny,

    async run(period, objects, { choose, kept }) {
      const folders = objects.map(({ key }) => splitKey(key).folder);
      const lease = workshop.leaseOf([period.folder, ...folders]);
      if (!(await lease.hold())) {
        counts.busy += objects.length;
        return;
      }
      const aside: Aside = { vanished: 0, unreadable: 0, quarantined: counts.quarantined };
      try {
        const groups = await undone(objects);
        for (const [group, isSent] of [
          [groups.unsent, false],
          [groups.sent, true],
        ] as const) {
          const chosen = choose(group);
          counts.kept += group.length - chosen.length;
          if (!kept.errors && !kept.rest) {
            if (chosen.length > 0) await workshop.replace({ inputs: chosen, isSent });
            counts.compacted += chosen.length;
            continue;
          }
          let left = chosen.length;
          const before = { ...aside, put: sum(aside.quarantined) };
          for await (const part of readParts(chosen, { storage, settler }, settings, aside, rules.change)) {
            if (!(await lease.hold())) break;
            left -= part.inputs.length;
            if (isAlone(part, chosen, kept, rules.areAny)) counts.kept += 1;
            else await write(part, period, { stage: kept.stage, isSent }, kept);
          }
          const gone = aside.vanished - before.vanished + aside.unreadable - before.unreadable;
          counts.busy += left - gone - (sum(aside.quarantined) - before.put);
        }
      } finally {
        counts.vanished += aside.vanished;
        counts.skipped += aside.unreadable;
        await lease.release();
      }
    },
  };
}

/** A compacted object of which nothing else would become than it is. */
function isAlone(
  { inputs }: Part,
  chosen: readonly Candidate[],
  { stage }: Kept,
  isChanging: boolean,
): boolean {
  const [only] = inputs;
  if (inputs.length > 1 || !only) return false;
  const { compacted } = chosen.find(({ key }) => key === only.key) ?? ({} as Candidate);
  return compacted ? compacted.stage >= stage : !isChanging && stage === 0;
}

const sum = (counts: Partial<Record<string, number>>): number =>
  Object.values(counts).reduce<number>((total, count = 0) => total + count, 0);
