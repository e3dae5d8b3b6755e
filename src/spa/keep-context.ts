/**
 * Who and what a page's spans are about, for the next page of the same tab and session: in `sessionStorage`, while the
 * user consents. It is read once, and what the page has said itself counts more; it is written as the page hides or is left.
 * A denial deletes it with all else (`Platform.purge`), and ends the session that it is of.
 */
import { parseJson, toJson } from '../json.js';
import { createNotes } from '../platform/notes.js';
import type { Platform } from '../platform/platform.js';
import type { ContextValues, PageContext } from './page-context.js';

export interface KeepContextDeps {
  platform: Pick<Platform, 'onPage'>;
  guard(task: () => void): void;
  /** Whether the user consents. */
  mayKeep(): boolean;
  sessionId(): string;
}

const NOTE = 'spandrel-1 context';

export function keepContext(
  { platform, guard, mayKeep, sessionId }: KeepContextDeps,
  { values, setters }: PageContext,
): void {
  const notes = createNotes(globalThis, 'sessionStorage');
  let isRead = false;

  /** Anybody on this origin may have written there: the setters look at it as at what the page says. */
  const read = (): void => {
    if (isRead || !mayKeep()) return;
    isRead = true;
    const kept = parseJson(notes?.get(NOTE) ?? 'null') as (ContextValues & { sessionId: string }) | null;
    if (kept?.sessionId !== sessionId()) return;
    const { attributes, flags } = values;
    if (!values.user && kept.user) setters.setUser(kept.user as never);
    setters.setAttributes({ ...kept.attributes, ...attributes });
    for (const [name, variant] of Object.entries({ ...kept.flags, ...flags })) {
      setters.setFlag(name, variant as string);
    }
  };

  guard(read);
  platform.onPage(() =>
    guard(() => {
      read();
      if (mayKeep()) notes?.set(NOTE, toJson({ sessionId: sessionId(), ...values }));
    }),
  );
}
