/*
 * For the tests of this package, which look inside: what is in the chunks that its doors share. It is not published; `dist/` has a file for
 * each door and one for all that they share, as a program that imports dozens of modules starts later and takes twice the memory.
 */
export { binding } from './binding.js';
export { locate } from './locate.js';
export * as records from './reclaim/records.js';
export * as entries from './weak/entries.js';
export * as pointers from './weak/pointer.js';
export * as slots from './weak/slots.js';
