import type { Signal } from '../../object-key.js';
import { inWords, optionError, secretInWords } from '../option-check.js';
import type { Projects } from '../projects.js';
import { isObject } from '../untrusted-body.js';

/** Option `otlp` of `createIngest`. */
export interface OtlpOptions {
  /**
   * Bearer keys of those who may send, each of 16 to 512 characters without spaces. Where the endpoint has `projects`,
   * each key says whose it is, by the project's name. For rotation several of one project. They are the operator's:
   * a page has none, and whoever has one can write as much as the quota allows.
   */
  keys: readonly (string | { key: string; project: string })[];
}

/** {@link OtlpOptions}, checked. */
export interface OtlpSettings {
  keys: readonly { key: string; project: string }[];
}

/** Random text of so many characters is not guessed over the network; a word would be. */
const MIN_KEY_LENGTH = 16;
const MAX_KEY_LENGTH = 512;
/** What RFC 6750 calls a token, and all else that headers carry unchanged. */
const KEY = /^[!-~]+$/;

/** @throws {TypeError} naming the option, what it got and what it takes; keys are not shown. */
export function otlpOption(
  options: OtlpOptions | undefined,
  projects: Projects,
  onlyProject: string | undefined,
): OtlpSettings | undefined {
  if (options === undefined) return undefined;
  if (!isObject(options)) throw optionError('otlp', inWords(options), 'an object with keys');
  const { keys } = options;
  if (!Array.isArray(keys)) throw optionError('otlp.keys', inWords(keys), 'an array of keys');
  if (keys.length === 0) throw optionError('otlp.keys', 'an empty array', 'at least one key');
  return {
    keys: keys.map((given: OtlpOptions['keys'][number], index) => {
      const option = `otlp.keys[${index}]`;
      const { key, project } = isObject(given) ? given : { key: given, project: onlyProject };
      if (
        typeof key !== 'string' ||
        key.length < MIN_KEY_LENGTH ||
        key.length > MAX_KEY_LENGTH ||
        !KEY.test(key)
      ) {
        const takes = `${MIN_KEY_LENGTH} to ${MAX_KEY_LENGTH} characters of ASCII without spaces`;
        throw optionError(option, secretInWords(key), takes);
      }
      if (project === undefined) {
        throw optionError(option, 'no project', '{ key, project } where the endpoint has several projects');
      }
      if (typeof project !== 'string' || !projects.byName(project)) {
        throw optionError(`${option}.project`, inWords(project), 'the name of one of the projects');
      }
      return { key, project };
    }),
  };
}

/** What a request is for, by the end of its path. `metrics` and the like are OTLP that is not taken. */
export type OtlpTarget = Signal | 'other';

const PATH = /\/v1\/(traces|logs|metrics)\/?$/;

/** Undefined where the path is not one of OTLP's. */
export function otlpTarget(request: Request): OtlpTarget | undefined {
  const [, signal] = PATH.exec(new URL(request.url).pathname) ?? [];
  if (signal === undefined) return undefined;
  return signal === 'traces' || signal === 'logs' ? signal : 'other';
}
