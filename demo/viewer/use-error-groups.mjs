import { useMemo } from '/vendor/preact.js';
import { groupErrors, occurrencesOf } from './error-groups.mjs';
import { askStacks, isAwaited, resolvedOf, useAnswers } from './stacks.mjs';

/** No group, and always the same. */
const NONE = [];

/**
 * The errors of traces, in groups. One whose stack is being resolved belongs to none yet: where it came from is not known.
 *
 * @param {import('./traces.mjs').Trace[] | undefined} traces undefined while nobody looks at errors
 * @returns {import('./error-groups.mjs').ErrorGroup[]}
 */
export function useErrorGroups(traces) {
  const answers = useAnswers();
  return useMemo(() => {
    if (traces === undefined) return NONE;
    const occurrences = occurrencesOf(traces);
    const questions = new Map(
      occurrences.map((one) => [
        one,
        { project: one.project, release: one.release, stack: one.exception.stack },
      ]),
    );
    askStacks([...questions.values()]);
    const known = occurrences.filter((one) => !isAwaited(questions.get(one)));
    return groupErrors(known, (one) => resolvedOf(questions.get(one)));
  }, [traces, answers]);
}
