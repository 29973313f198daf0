/*
 * node --import weakly/spec/global app.js
 *
 * WeakRef and FinalizationRegistry of the global object are this package's from here on. Node.js's own use of V8's goes on.
 */
import { installInto } from './install.js';

installInto(globalThis);
