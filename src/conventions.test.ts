import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as registry from '@opentelemetry/semantic-conventions/incubating';

const ROOT = new URL('../../../', import.meta.url);
/** What writes attributes. Readers know names of others, and of earlier releases, as well. */
const WRITERS = /^src\/((spa|sdk|edge|events)\/.*|pipeline\/trace-buffer\.ts|start\.ts|compact\/agents\.ts)$/;

/** Names of our own by what follows `spandrel.`, and why no convention has them. */
const OURS: Record<string, string> = {
  aborted: 'a request that the page gave up is no error; error.type would say that it is one',
  activity: 'spans that last as long as what follows of a load, a route or a click',
  'body.end': 'how a streamed answer ended',
  'click.count': 'how many clicks vexed',
  clock: 'what was put right of a wrong clock',
  errors: 'how many were too many to be told',
  dead_click: 'an event: a click that nothing answers',
  exception: 'whether somebody caught it: exception.escaped is deprecated, and nothing has come in its place',
  interaction: 'names a target by what developers wrote; app.widget.id and .name are for apps’ widgets',
  interrupted: 'the page or the runtime ended before the span',
  long_frame: 'long animation frames; app.jank counts frames of a period',
  long_frames: 'how many were too many to be told',
  rage_click: 'an event: three clicks within a second',
  resources: 'how many were too many to be told',
  sampling: 'the probability and the reason, also for readers that know no tracestate',
  'session.started_at': 'pages that go on with a session know when it began; session.start is told once',
  suspended_millis: 'the machine slept meanwhile',
  web_vital: 'attribution: browser.web_vital has none',
};
/** What the registry lacks, and why it is written all the same. */
const LACKING: Record<string, string> = {
  'browser.navigation_timing.type': 'of OpenTelemetry’s browser package, which the registry is to follow',
  'browser.resource_timing.initiator_type':
    'of OpenTelemetry’s browser package, which the registry is to follow',
  'device.type': 'phone, tablet or desktop, as viewers ask for it; the registry has models and makers alone',
};
/** Looks like an attribute and is none. */
const OTHERS = [
  ...['session.name', 'session.start', 'feature_flag.evaluation'],
  ...['spandrel.context', 'spandrel.edge', 'spandrel.events', 'spandrel.invocation', 'spandrel.running'],
];

const valuesOf = (prefix: string): string[] =>
  Object.entries(registry)
    .filter(([name]) => name.startsWith(prefix))
    .map(([, value]) => String(value));
const ATTRIBUTES = new Set(valuesOf('ATTR_'));
const NAMESPACES = new Set([...ATTRIBUTES].map((name) => name.split('.', 1)[0]));

/** The registry says so in words: a comment in front of the name's declaration. */
function deprecated(): Set<string> {
  const module = fileURLToPath(import.meta.resolve('@opentelemetry/semantic-conventions/incubating'));
  const names = new Set<string>();
  for (const file of ['experimental_attributes', 'stable_attributes']) {
    const text = readFileSync(new URL(`${file}.d.mts`, `file://${module}`), 'utf8');
    for (const [, comment = '', name = ''] of text.matchAll(
      /\/\*\*((?:(?!\*\/).)*)\*\/\s*declare const ATTR_\w+: "([^"]+)"/gs,
    ))
      if (comment.includes('@deprecated')) names.add(name);
  }
  return names;
}

/** Names in quotes that begin as the registry's do, or ours; and prefixes of names that are put together. */
function written(): Map<string, string> {
  const names = new Map<string, string>();
  for (const name of readdirSync(new URL('src/', ROOT), { recursive: true }) as string[]) {
    const file = `src/${name}`;
    if (!WRITERS.test(file) || !/(?<!\.test)\.ts$/.test(file)) continue;
    const code = readFileSync(new URL(file, ROOT), 'utf8').replace(/^\s*(\*|\/\/|\/\*).*$/gm, '');
    for (const [, text = ''] of code.matchAll(/['`]([a-z]\w*(?:\.\w+)+)(?:\.?['`]|\.\$\{)/g))
      if (
        /^[a-z_\d.]+$/.test(text) &&
        (NAMESPACES.has(text.split('.', 1)[0]) || text.startsWith('spandrel.'))
      )
        names.set(text, file);
  }
  return names;
}

test('conventions: what is written is in the registry, or has its reason not to be', () => {
  const names = written();
  // Put together of a prefix and what web-vitals calls them.
  assert.ok(names.delete('browser.web_vital'));
  const ours = [...names.keys()].filter((name) => name.startsWith('spandrel.') && !OTHERS.includes(name));
  const known = Object.keys(OURS).map((name) => `spandrel.${name}`);
  const within = (name: string, group: string): boolean => name === group || name.startsWith(`${group}.`);
  assert.deepEqual(
    ours.filter((name) => !known.some((group) => within(name, group))),
    [],
    'ours without a reason',
  );
  assert.deepEqual(
    known.filter((group) => !ours.some((name) => within(name, group))),
    [],
    'reasons for nothing',
  );
  const theirs = [...names.keys()].filter((name) => !name.startsWith('spandrel.') && !OTHERS.includes(name));
  assert.deepEqual(
    theirs.filter((name) => !ATTRIBUTES.has(name)).sort(),
    Object.keys(LACKING).sort(),
    'not in the registry',
  );
  const old = deprecated();
  assert.ok(old.has('exception.escaped') && old.has('http.method'));
  assert.deepEqual(
    theirs.filter((name) => old.has(name)),
    [],
    'deprecated',
  );
  assert.ok(theirs.length > 30, String(theirs.length));
  assert.deepEqual(
    OTHERS.filter((name) => !names.has(name)),
    [],
  );
  assert.ok(valuesOf('EVENT_').includes('session.start'));
});
