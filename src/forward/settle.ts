import { type DoneFate, folderInKey } from '../server/forwarded.js';
import { inLanes } from '../wire/lanes.js';
import type { QuarantineReason } from './batch.js';
import type { DoneNotes } from './done-notes.js';
import type { HandlingSettings } from './forward-settings.js';
import type { ForwardStorage } from './patient-storage.js';

/** An object that is done with. */
export interface Settled {
  key: string;
  fate: DoneFate;
  size: number;
  /** Where they are at hand. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** Of what is put aside. */
  reason?: QuarantineReason;
  message?: string;
}

/** What happens to objects in the bucket once it is known what becomes of them. */
export interface Settler {
  /**
   * Puts aside, notes, removes, in this order: whatever comes between, no object is lost, and none that was noted
   * is sent again. @throws {StorageError}
   */
  settle(objects: readonly Settled[]): Promise<void>;
  /** Removes what was noted earlier, as far as it is still there. @throws {StorageError} */
  removeNoted(objects: readonly { key: string; fate: DoneFate }[]): Promise<void>;
}

export type SettlerSettings = Pick<
  HandlingSettings,
  'after' | 'concurrency' | 'quarantinePrefix' | 'movedPrefix' | 'maxObjectBytes' | 'now'
>;

/** That stores allow. */
const MAX_KEY_BYTES = 1_024;

export function createSettler(
  storage: ForwardStorage,
  /** Undefined: nothing is noted. */
  notes: Pick<DoneNotes, 'add'> | undefined,
  settings: SettlerSettings,
): Settler {
  const { concurrency, after } = settings;

  async function putAside({ key, size, bytes, reason = 'refused', message = '' }: Settled): Promise<void> {
    const base = `${settings.quarantinePrefix}/${reason}/`;
    const aside = base + (fits(`${base}${key}.reason.json`) ? key : await folderInKey(` ${key}`));
    if (bytes) await storage.put(aside, bytes);
    const at = new Date(settings.now()).toISOString();
    const record = new TextEncoder().encode(JSON.stringify({ reason, message, key, size, at }));
    await storage.put(`${aside}.reason.json`, record, { contentType: 'application/json' });
  }

  async function remove(key: string, fate: DoneFate, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
    if (fate === 'left' || (fate === 'sent' && after === 'keep')) return;
    if (fate === 'sent' && after === 'move') {
      const moved = `${settings.movedPrefix}/${key}`;
      if (!fits(moved)) return;
      const content = bytes ?? (await storage.get(key, { maxBytes: settings.maxObjectBytes }));
      if (!content) return;
      await storage.put(moved, content);
    }
    await storage.delete(key);
  }

  return {
    async settle(objects) {
      const aside = objects.filter(({ fate }) => fate !== 'sent');
      await inLanes(aside, concurrency, putAside);
      if (notes && objects.length > 0) await notes.add(objects.map(({ key, fate }) => [key, fate]));
      await inLanes(objects, concurrency, ({ key, fate, bytes }) => remove(key, fate, bytes));
    },
    removeNoted(objects) {
      return inLanes(objects, concurrency, ({ key, fate }) => remove(key, fate));
    },
  };
}

function fits(key: string): boolean {
  return new TextEncoder().encode(key).byteLength <= MAX_KEY_BYTES;
}
