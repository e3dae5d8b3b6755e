import { createOptionChecks, type OptionChecks } from '../wire/option-check.js';

export const check: OptionChecks = createOptionChecks('spandrel/forward');
