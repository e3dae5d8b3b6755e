import { chromiumEngine } from './chromium.mjs';
import { firefoxEngine } from './firefox.mjs';
import { webkitEngine } from './webkit.mjs';

/** @type {Record<import('./engine.mjs').EngineName, import('./engine.mjs').Engine>} */
export const ENGINES = { chromium: chromiumEngine, firefox: firefoxEngine, webkit: webkitEngine };
