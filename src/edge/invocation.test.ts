import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore, TestExecutionContext } from '../testing/edge.js';
import { beginInvocation } from './invocation.js';
import { runtimeOf } from './runtime.js';
import { createSetup } from './setup.js';
import { registerTracing } from './tracing.js';

// A file, and so an isolate, of its own.
test('invocation: the first of an isolate says that it is, where functions are started for events', async () => {
  registerTracing();
  const store = memoryStore();
  const setup = {
    ...createSetup({ service: 'shop', destination: store }),
    runtime: runtimeOf({ navigator: { userAgent: 'Cloudflare-Workers' } }),
  };
  for (const name of ['first', 'second']) {
    const ctx = new TestExecutionContext();
    const answered = (answer: unknown, _span: unknown, end: () => void) => {
      end();
      return answer;
    };
    const begun = beginInvocation(setup, { name, kind: 1, attributes: {}, answered }, [{}, {}, ctx]);
    assert.equal(
      begun.run(() => begun.answered('answer')),
      'answer',
    );
    await ctx.settled();
  }
  assert.equal(store.span('first').attributes['faas.coldstart'], true);
  assert.equal(store.span('second').attributes['faas.coldstart'], false);
});
