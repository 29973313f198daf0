// Compiled, never run: `npm run test:types`. Each line that must not compile says so.

import { EventEmitter } from 'node:events';
import { addWeakListener, WeakListener, type WeakListenerOptions } from '../../lib/events/index.js';
import { keepAlive } from '../../lib/index.js';
import { Dog, type Equal, type } from './kit.js';

const dog = new Dog();
const [emitter, target] = [new EventEmitter(), new EventTarget()];

const listener = addWeakListener(emitter, 'event', dog, (owner, one, two) => {
  type<Equal<typeof owner, Dog>>();
  keepAlive([one, two]);
});
type<Equal<typeof listener, WeakListener>>();
addWeakListener(emitter, Symbol('event'), dog, (owner, count: number) => owner.bark.length + count);
addWeakListener(target, 'event', dog, (owner, event) => {
  type<Equal<[typeof owner, typeof event], [Dog, Event]>>();
});
addWeakListener(target, 'event', dog, (owner, event: Event & { detail: number }) => owner.bark.length + event.detail);
addWeakListener(AbortSignal.timeout(1), 'abort', Symbol('owner'), async (owner) => type<Equal<typeof owner, symbol>>());
const options: WeakListenerOptions = { once: true, capture: undefined, signal: AbortSignal.timeout(1) };
addWeakListener(process, 'exit', dog, () => undefined, options);
const disposable: Disposable = listener;

// @ts-expect-error a plain object has no events
addWeakListener({}, 'event', dog, () => undefined);
// @ts-expect-error a string is no owner
addWeakListener(emitter, 'event', 'me', () => undefined);
// @ts-expect-error symbols are no types of an EventTarget
addWeakListener(target, Symbol('event'), dog, () => undefined);
// @ts-expect-error a cat is no dog
addWeakListener(emitter, 'event', dog, (owner: { meow(): void }) => owner.meow());
// @ts-expect-error no such option
addWeakListener(target, 'event', dog, () => undefined, { passive: true });
// @ts-expect-error they are made by addWeakListener()
new WeakListener();

keepAlive([disposable]);
