// What one span runs through, from its end to the word of the server that it is told: functions, files and calls of ours,
// by V8's precise coverage, in the simulator of `src/testing`. What happens before the span ends is not counted.
import { execFileSync } from 'node:child_process';
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMPILED = `${ROOT}.cache/unit/src/`;
/** The provider's, the test's and the simulator's own are not ours. */
const isOurs = (/** @type {string} */ url) =>
  url.startsWith(`file://${COMPILED}`) && !url.includes('/testing/');

export async function bench() {
  execFileSync('npx', ['tsc', '-p', 'e2e/tsconfig.json'], { cwd: ROOT, stdio: 'inherit' });
  const { testClient } = await import(`${COMPILED}testing/client.js`);
  const { until } = await import(`${COMPILED}testing/platform.js`);
  const client = testClient({ served: true, scheduledDelayMillis: 0 });
  const span = client.startSpan('work');
  await client.platform.advance(1_000);

  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await session.post('Profiler.takePreciseCoverage');
  span.end();
  await client.platform.advance(8_000);
  await until(() => client.cloud.objects.size > 0);
  await client.platform.advance(70_000);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();

  const walked = result
    .filter(({ url }) => isOurs(url))
    .map(({ url, functions }) => ({
      file: url.slice(`file://${COMPILED}`.length),
      // The first is the module itself.
      functions: functions.filter(
        ({ functionName, ranges: [range] }) => functionName !== '' || range?.startOffset,
      ),
    }))
    .map(({ file, functions }) => ({
      file,
      functions: functions.filter(({ ranges: [range] }) => (range?.count ?? 0) > 0).length,
      calls: functions.reduce((sum, { ranges: [range] }) => sum + (range?.count ?? 0), 0),
    }))
    .filter(({ functions }) => functions > 0)
    .sort((a, b) => b.functions - a.functions);
  const sum = (/** @type {'functions' | 'calls'} */ key) =>
    walked.reduce((total, one) => total + one[key], 0);
  return {
    'walk of one span, told': [
      {
        files: walked.length,
        functions: sum('functions'),
        calls: sum('calls'),
        objects: client.cloud.objects.size,
      },
    ],
    'by file': walked,
  };
}
