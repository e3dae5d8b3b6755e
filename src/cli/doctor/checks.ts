import { BUCKET_CHECKS, PUBLIC_CHECKS } from './bucket-checks.js';
import { ENDPOINT_CHECKS } from './endpoint-checks.js';
import { OWNER_CHECKS } from './owner-checks.js';
import { PAGE_CHECKS } from './page-checks.js';
import { CONFIRM_CHECKS, UPLOAD_CHECKS } from './upload-checks.js';

/** Everything that `doctor` looks at, in order. The ids are for scripts, and stay as they are. */
export const CHECKS = {
  ...ENDPOINT_CHECKS,
  ...UPLOAD_CHECKS,
  ...BUCKET_CHECKS,
  ...CONFIRM_CHECKS,
  ...PUBLIC_CHECKS,
  ...OWNER_CHECKS,
  ...PAGE_CHECKS,
};

export type CheckId = keyof typeof CHECKS;
