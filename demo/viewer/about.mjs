/** What the viewer is a part of. `spandrel view` answers with a file of its own in the place of this one. */
export const ABOUT = {
  /** Where the objects come from, where that is worth saying. */
  source: '',
  /** Where to make traces; empty where there is no such place. */
  shopUrl: '/',
  /** Whether the host resolves stacks by source maps. */
  maps: false,
};
