#!/usr/bin/env node
/** The command `spandrel`. */
import { Command } from 'commander';
import { VERSION } from '../version.js';

const program = new Command('spandrel')
  .description('Looks after a bucket of traces that browsers fill.')
  .version(VERSION);

await program.parseAsync();
