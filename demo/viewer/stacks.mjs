/** Stacks in the sources' words, asked of the host in batches, each once. */
import { useEffect, useState } from '/vendor/preact.js';
import { ABOUT } from './about.mjs';

/** As many as the host takes. */
const BATCH = 50;
/** Others stay as the browser wrote them. */
const MAX_KNOWN = 5_000;
const UNRESOLVED = { lines: [], isResolved: false };

/** @typedef {{ project: string, release: string, stack: string }} Question */

/** @type {Map<string, import('./error-groups.mjs').Resolved | null>} null while it is asked for */
const known = new Map();
const listeners = new Set();
/** @type {{ key: string, question: Question }[]} */
let waiting = [];
let isAsking = false;

const keyOf = ({ project, release, stack }) => `${project}\n${release}\n${stack}`;

/** @param {Question} question @returns {import('./error-groups.mjs').Resolved | undefined} */
export const resolvedOf = (question) => known.get(keyOf(question)) ?? undefined;

/** Asks for those that are not known yet. Without maps nothing is asked. @param {Question[]} questions */
export function askStacks(questions) {
  if (!ABOUT.maps) return;
  for (const question of questions) {
    const key = keyOf(question);
    // The host knows no maps without a release.
    if (question.stack === '' || question.release === '' || known.has(key) || known.size >= MAX_KNOWN)
      continue;
    known.set(key, null);
    waiting.push({ key, question });
  }
  void ask();
}

async function ask() {
  if (isAsking) return;
  isAsking = true;
  while (waiting.length > 0) {
    const batch = waiting.slice(0, BATCH);
    waiting = waiting.slice(BATCH);
    const answers = await answersTo(batch.map(({ question }) => question));
    // What failed is shown as it came: to ask for ever would not mend it.
    for (const [index, { key }] of batch.entries()) known.set(key, answers[index] ?? UNRESOLVED);
    for (const listener of listeners) listener();
  }
  isAsking = false;
}

async function answersTo(stacks) {
  try {
    const response = await fetch('/viewer/api/stacks', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stacks }),
    });
    const { stacks: answers } = await response.json();
    return Array.isArray(answers) ? answers : [];
  } catch {
    return [];
  }
}

/** True while it is asked for. @param {Question} question */
export const isAwaited = (question) => known.get(keyOf(question)) === null;

/** Renders again when answers come. @returns {number} of the answers so far, for `useMemo` */
export function useAnswers() {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const listener = () => setCount((before) => before + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return count;
}
