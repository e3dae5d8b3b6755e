// `npm run format -- [paths]`, and part of `npm run check`: Biome, with the arguments given.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensureTool } from './tools.mjs';

const program = path.join(ensureTool('@biomejs/biome'), 'bin/biome');
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
