/** A Playwright reporter that ends with one plain line: `N passed, N failed`, whatever else was said before. */
export default class ClosingLine {
  passed = 0;
  failed = 0;
  errors = 0;

  printsToStdio() {
    return false;
  }

  /** @param {import('@playwright/test/reporter').TestCase} test @param {import('@playwright/test/reporter').TestResult} result */
  onTestEnd(test, result) {
    if (result.status === 'skipped') return;
    if (result.status === test.expectedStatus) this.passed++;
    else this.failed++;
  }

  // What goes wrong outside of tests: a file that does not load, a worker that does not start.
  onError() {
    this.errors++;
  }

  async onExit() {
    console.log(`${this.passed} passed, ${this.failed + this.errors} failed`);
  }
}
