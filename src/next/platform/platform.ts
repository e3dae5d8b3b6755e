/** What the pipeline needs of the world: of `platform/platform.ts`, what is left of it without the pipeline before. */
import type {
  Platform as All,
  Tabs as AllTabs,
  HttpAnswer,
  KeepaliveBudget,
  Notes,
  PageSignal,
  Stop,
  StoreChange,
  StoreKey,
  Store as Transactions,
} from '../../platform/platform.js';

/** Records that outlive the page. Nothing is conditional. */
export interface Store extends Omit<Transactions, 'write' | 'letGo'> {
  write(change: Omit<StoreChange, 'ifPresent'>): Promise<unknown>;
  letGo?(): void;
}

/** Tells living pages from dead ones. */
export type Tabs = Omit<AllTabs, 'ifDead'>;

export interface Platform extends Omit<All, 'openStore' | 'openTabs' | 'request'> {
  openStore(): Store | undefined;
  openTabs(store: Store): Tabs;
  /**
   * One request by the host's fetch, unpatched where that can be told, and not traced. It has begun when this
   * returns, is given up after `timeoutMillis` (default 30,000), and never rejects: status 0 means that there was no
   * answer, and `body` why.
   *
   * @param read takes what is wanted of the answer beside its status; by default at most 256 KiB of text.
   */
  request(
    url: string,
    init: RequestInit,
    timeoutMillis?: number,
    read?: (response: Response) => Promise<Partial<HttpAnswer>>,
  ): Promise<HttpAnswer>;
}

export type { HttpAnswer, KeepaliveBudget, Notes, PageSignal, Stop, StoreChange, StoreKey };
