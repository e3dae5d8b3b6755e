// What the pages of the bench are served: the bundle of whichever measure is at work.
declare module '*/bench.js';
