/** The script tag's second file: hands itself over to the first that asked for it. */
import { HANDOVER, type Handover } from './handover.js';
import * as late from './late-page.js';

(globalThis as Handover)[HANDOVER]?.take(late);
