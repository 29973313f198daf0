// Setters on the numeric indices of prototypes: what is assigned past the end of an array, or into a hole of it, comes here.
// `kind`: what is assigned is passed on to the array (a program goes on as before), or lost.

const MOST = 64;

export function install(kind) {
  const [name, way] = kind.split(' ');
  const prototype = name === 'Array' ? Array.prototype : Object.prototype;
  for (let i = 0; i < MOST; i++) {
    Object.defineProperty(prototype, i, {
      configurable: true,
      get: () => undefined,
      set(value) {
        if (way === 'lost') return;
        Object.defineProperty(this, i, { value, writable: true, enumerable: true, configurable: true });
      },
    });
  }
}
