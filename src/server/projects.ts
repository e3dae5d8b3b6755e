import { DEFAULT_PROJECT, isKeySegment } from '../object-key.js';
import type { IngestOptions, ProjectOptions } from './ingest-options.js';
import { inWords, optionError } from './option-check.js';
import { createOriginRule, type OriginRule } from './origin.js';
import { isObject } from './untrusted-body.js';

export interface Project {
  name: string;
  allows: OriginRule;
}

/** The projects behind one endpoint. */
export interface Projects {
  /** By the public key of a request; undefined when it names none of ours. */
  byKey(publicKey: string | undefined): Project | undefined;
  /** What a token names; undefined when there is none of that name. Where two keys have one name, both their rules hold. */
  byName(name: string): Project | undefined;
  /** Whether any project takes requests from there: all that can be told before the project is known. */
  anyAllows: OriginRule;
}

const SEGMENT = '1 to 64 letters, digits, dots, dashes and underscores';

/** @throws {TypeError} naming the option, when one is unusable. */
export function createProjects(options: IngestOptions): Projects {
  const allowMissing = options.allowMissingOrigin === true;
  const allows = createOriginRule('allowedOrigins', options.allowedOrigins, allowMissing);

  if (options.projects === undefined) {
    const only = { name: nameOption('project', options.project ?? DEFAULT_PROJECT), allows };
    return {
      byKey: () => only,
      byName: (name) => (name === only.name ? only : undefined),
      anyAllows: allows,
    };
  }

  const byKey = new Map<string, Project>();
  for (const [publicKey, project] of projectEntries(options.projects)) {
    const option = `projects.${publicKey}`;
    if (!isObject(project)) throw optionError(option, inWords(project), 'an object with a name');
    byKey.set(publicKey, {
      name: nameOption(`${option}.name`, project.name),
      allows:
        project.allowedOrigins === undefined
          ? allows
          : createOriginRule(`${option}.allowedOrigins`, project.allowedOrigins, allowMissing),
    });
  }
  if (byKey.size === 0) throw optionError('projects', 'none', 'at least one project');
  const anyOf =
    (projects: Project[]): OriginRule =>
    (request) =>
      projects.some((project) => project.allows(request));
  const byName = new Map<string, Project>();
  for (const { name } of byKey.values()) {
    const named = Array.from(byKey.values()).filter((project) => project.name === name);
    byName.set(name, { name, allows: anyOf(named) });
  }
  return {
    byKey: (publicKey) => (publicKey === undefined ? undefined : byKey.get(publicKey)),
    byName: (name) => byName.get(name),
    anyAllows: anyOf(Array.from(byKey.values())),
  };
}

function projectEntries(projects: NonNullable<IngestOptions['projects']>): [string, ProjectOptions][] {
  if (Array.isArray(projects)) return projects.map((name) => [String(name), { name }]);
  if (isObject(projects)) return Object.entries(projects);
  throw optionError('projects', inWords(projects), 'an array of names or an object');
}

function nameOption(option: string, value: unknown): string {
  if (typeof value === 'string' && isKeySegment(value)) return value;
  throw optionError(option, inWords(value), SEGMENT);
}
