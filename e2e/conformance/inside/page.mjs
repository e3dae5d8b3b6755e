import { play, takeTroubles } from './host.mjs';

Object.assign(globalThis, { play, takeTroubles });
