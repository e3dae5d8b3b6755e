/**
 * Who and what a page's spans are about, for the next page of the same tab and session: in `sessionStorage`, while the
 * user consents. It is read once, and what the page has said itself counts more; it is written as the page hides or is left.
 * A denial deletes it with all else (`Platform.purge`), and ends the session that it is of.
 */
import { parseJson, toJson } from '../json.js';
import { createNotes } from '../platform/notes.js';
import type { ContextValues, PageContext } from './page-context.js';
import type { Session, SessionHost } from './session.js';

const NOTE = 'spandrel-1 context';

export function keepContext(
  { platform, diagnostics }: SessionHost,
  session: Pick<Session, 'id'>,
  { values, setters }: PageContext,
): void {
  const { guard, totals } = diagnostics;
  const notes = createNotes(globalThis, 'sessionStorage');
  const mayKeep = (): boolean => totals.consent === 'granted' && totals.state === 'running';
  let isRead = false;

  /** Anybody on this origin may have written there: the setters look at it as at what the page says. */
  const read = (): void => {
    if (isRead || !mayKeep()) return;
    isRead = true;
    const kept = parseJson(notes?.get(NOTE) ?? 'null') as (ContextValues & { sessionId: string }) | null;
    if (kept?.sessionId !== session.id) return;
    const { attributes, flags } = values;
    const user = Object.entries(kept.user ?? {}).map(([name, value]) => [name.replace('user.', ''), value]);
    if (!values.user) setters.setUser(Object.fromEntries(user));
    setters.setAttributes({ ...kept.attributes, ...attributes });
    for (const [name, variant] of Object.entries({ ...kept.flags, ...flags })) {
      setters.setFlag(name, variant as string);
    }
  };

  guard(read);
  if (!isRead) {
    // The user has yet to consent.
    const stop = diagnostics.subscribe(() => {
      read();
      if (isRead) stop();
    });
  }
  platform.onPage(() =>
    guard(() => {
      read();
      if (mayKeep()) notes?.set(NOTE, toJson({ sessionId: session.id, ...values }));
    }),
  );
}
