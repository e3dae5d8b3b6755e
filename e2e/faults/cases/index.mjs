import { bfcache } from './bfcache.mjs';
import { brief } from './brief.mjs';
import { clocks } from './clocks.mjs';
import { copies } from './copies.mjs';
import { crashes } from './crashes.mjs';
import { expiry } from './expiry.mjs';
import { leaving } from './leaving.mjs';
import { much } from './much.mjs';
import { offline } from './offline.mjs';
import { outages } from './outages.mjs';
import { steady } from './steady.mjs';
import { storage } from './storage.mjs';
import { tabs } from './tabs.mjs';
import { upgrade } from './upgrade.mjs';

/** Every case, by group, in the order of the table. */
export const GROUPS = {
  steady,
  leaving,
  brief,
  much,
  outages,
  offline,
  crashes,
  tabs,
  expiry,
  clocks,
  bfcache,
  storage,
  copies,
  upgrade,
};
