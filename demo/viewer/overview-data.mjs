/** Asks the host for the overview's figures, and again while it reads objects. */
import { useEffect, useRef, useState } from '/vendor/preact.js';
import { requestOf } from './overview-query.mjs';

/** The last answer by what was asked, so that who comes back from a trace finds the page as it was. */
let kept = { key: '', body: undefined };
/** @type {Asked} */
const NOT_YET = { body: undefined, error: '', isBusy: true };

/**
 * @typedef {object} Asked
 * @property {any} body the host's answer; undefined until there is one
 * @property {string} error in words; empty when there is none
 * @property {boolean} isBusy an answer is on its way
 *
 * @param {string} path below `/viewer/api/overview`
 * @param {string} query as in the address; undefined asks nothing
 * @param {number} revision asks again when it changes
 * @returns {Asked}
 */
export function useAnswer(path, query, revision = 0) {
  const key = `${path}?${query}`;
  const [state, setState] = useState(NOT_YET);
  const job = useRef(undefined);
  const known = useRef(revision);
  useEffect(() => {
    if (query === undefined) return setState(NOT_YET);
    setState((before) => ({ body: kept.key === key ? kept.body : before.body, error: '', isBusy: true }));
    job.current = startAsking(path, query, (next) => {
      if (path === '' && next.body) kept = { key, body: next.body };
      setState(next);
    });
    return job.current.stop;
  }, [key]);
  useEffect(() => {
    if (known.current === revision) return;
    known.current = revision;
    job.current?.again();
  }, [revision]);
  return state;
}

/** Asks until the host has read all, and once more whenever it is told that there is more. */
function startAsking(path, query, onState) {
  const controller = new AbortController();
  let wanted = 1;
  let isRunning = false;
  const run = async () => {
    isRunning = true;
    for (let asked = wanted - 1; asked < wanted; ) {
      asked = wanted;
      const body = await askOnce(path, query, controller.signal);
      const isLeft = body.reading?.left > 0;
      if (isLeft) wanted += 1;
      onState({ body, error: '', isBusy: isLeft });
    }
  };
  const start = () => {
    if (isRunning) return;
    run()
      .catch(({ message }) => {
        if (!controller.signal.aborted) onState({ body: undefined, error: message, isBusy: false });
      })
      .finally(() => {
        isRunning = false;
      });
  };
  start();
  return {
    again() {
      wanted += 1;
      start();
    },
    stop: () => controller.abort(),
  };
}

async function askOnce(path, query, signal) {
  const fields = requestOf(query, Date.now());
  const response = await fetch(`/viewer/api/overview${path}?${fields}`, { cache: 'no-store', signal });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error ?? `the host answered ${response.status}`);
  return body;
}

/** The objects that hold a trace; none where the host cannot tell. @param {string} traceId */
export async function objectsOfTrace(traceId) {
  const response = await fetch(`/viewer/api/overview/trace?id=${traceId}`, { cache: 'no-store' });
  const body = response.ok ? await response.json() : {};
  return Array.isArray(body.objects) ? body.objects : [];
}
