import process from 'node:process';
import { runChecks } from './checks.mjs';

const { failed } = await runChecks();
if (failed.length > 0) process.exitCode = 1;
