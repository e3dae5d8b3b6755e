// Stacks resolved a second: by a map as large as an application's, of which every frame is another place.
import { gzipSync } from 'node:zlib';
import { createMapCache } from '../../.cache/esm/maps/map-cache.js';
import { resolveStack } from '../../.cache/esm/maps/resolve-stack.js';
import { largeMap } from './maps-measure.mjs';

const SEGMENTS = [20_000, 500_000];
const FRAMES = 12;
const STACKS = 5_000;
const URL = 'https://shop.example/assets/app.js';

export async function bench() {
  const rows = [];
  for (const segments of SEGMENTS) {
    const { map, columns } = largeMap(segments);
    const bytes = new Uint8Array(gzipSync(map));
    const key = `maps/shop/1/assets/app.js~${'0'.repeat(32)}.map.gz`;
    const storage = {
      list: async () => ({ objects: [{ key, size: bytes.length }] }),
      get: async () => bytes,
    };
    const maps = createMapCache({ storage });
    const stackAt = (/** @type {number} */ at) =>
      ['TypeError: x', ...Array.from({ length: FRAMES }, (_, index) => lineOf(at * FRAMES + index))].join(
        '\n',
      );
    const lineOf = (/** @type {number} */ at) =>
      `    at f (${URL}:1:${columns[(at * 7_919) % columns.length]})`;
    const whose = { project: 'shop', release: '1' };
    const opening = performance.now();
    await resolveStack(maps, stackAt(0), whose);
    const begun = performance.now();
    const cpu = process.cpuUsage();
    let resolved = 0;
    for (let at = 1; at <= STACKS; at += 1) {
      resolved += Number((await resolveStack(maps, stackAt(at), whose)).isResolved);
    }
    const { user, system } = process.cpuUsage(cpu);
    rows.push({
      'mappings of the map': segments,
      'map, MB': map.length / 1e6,
      'opening it, ms': begun - opening,
      'stacks resolved': resolved,
      'stacks a second': (STACKS * 1_000) / (performance.now() - begun),
      'stacks a CPU second': (STACKS * 1e6) / (user + system),
    });
  }
  return { [`maps: stacks of ${FRAMES} frames, Node`]: rows };
}
