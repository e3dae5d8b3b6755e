// What the host serves at this address: `htm/preact/standalone`, which brings no types of its own.
declare module '*/vendor/preact.js' {
  export { html } from 'htm/preact';
  export * from 'preact';
  export * from 'preact/hooks';
}

// uPlot's own types ask for more than the viewer says.
declare module '*/vendor/uplot.js' {
  export { default } from 'uplot';
}
