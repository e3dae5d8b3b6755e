// First script of a page with a policy: keeps what the browser has against the others.
globalThis.violations = [];
addEventListener('securitypolicyviolation', (event) => {
  violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
