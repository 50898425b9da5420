/**
 * Imported before Cedar. V8 of Node 20 ends the process ("unreachable code") when optimized code that a call into WebAssembly was inlined into is
 * given up during that call. A V8 that does not know the flag says so on standard error, so later ones are left alone.
 */
import { setFlagsFromString } from 'node:v8';

if (/^v2[0-2]\./.test(process.version)) setFlagsFromString('--no-turbo-inline-js-wasm-calls');
