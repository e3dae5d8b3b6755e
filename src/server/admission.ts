import type { IngestContext } from './ingest-options.js';
import type { OriginRule } from './origin.js';
import type { Project, Projects } from './projects.js';
import { Refusal } from './refusal.js';

/** @throws {Refusal} `forbidden_origin`. */
export function checkOrigin(allows: OriginRule, request: Request): void {
  if (!allows(request)) throw new Refusal('forbidden_origin', 'this origin may not call');
}

/** The project that `publicKey` names. @throws {Refusal} `forbidden_origin`, or `unknown_project`. */
export function admit(request: Request, publicKey: string | undefined, projects: Projects): Project {
  checkOrigin(projects.anyAllows, request);
  const project = projects.byKey(publicKey);
  if (!project) throw new Refusal('unknown_project', 'the project key is missing or unknown');
  checkOrigin(project.allows, request);
  return project;
}

export function contextOf(request: Request, project: string, kind: IngestContext['kind']): IngestContext {
  const origin = request.headers.get('origin');
  return origin === null ? { project, kind } : { project, kind, origin };
}
