// Compiled, never run: `npm run test:types`. Each line that must not compile says so.

import { createContext, runInContext } from 'node:vm';
import { keepAlive } from '../../lib/index.js';
import * as global from '../../lib/spec/global.js';
import { FinalizationRegistry, installInto, WeakRef } from '../../lib/spec/index.js';
import { type Animal, Dog, type Equal, type } from './kit.js';

const dog = new Dog();

// Swapped in without a thought: the very types of the global ones, both as values and as types.
type<Equal<typeof WeakRef, typeof globalThis.WeakRef>>();
type<Equal<typeof FinalizationRegistry, typeof globalThis.FinalizationRegistry>>();
type<Equal<WeakRef<Dog>, globalThis.WeakRef<Dog>>>();
type<Equal<FinalizationRegistry<string>, globalThis.FinalizationRegistry<string>>>();

const ref = new WeakRef(dog);
type<Equal<typeof ref, WeakRef<Dog>>>();
type<Equal<ReturnType<typeof ref.deref>, Dog | undefined>>();
const toNative: globalThis.WeakRef<Dog> = ref;
const fromNative: WeakRef<Dog> = new globalThis.WeakRef(dog);
const toAnimal: WeakRef<Animal> = ref;
const toSymbol: WeakRef<symbol> = new WeakRef(Symbol('a'));
class NamedRef extends WeakRef<Dog> {
  label = '';
}
const named: WeakRef<Dog> = new NamedRef(dog);

// @ts-expect-error an animal need not be a dog
const back: WeakRef<Dog> = toAnimal;
// @ts-expect-error a number is no target
new WeakRef(1);
// @ts-expect-error null is no target
new WeakRef(null);
// @ts-expect-error it needs a target
new WeakRef();
// @ts-expect-error a string is no target
const refToString = {} as WeakRef<string>;
// @ts-expect-error a class is not called
WeakRef(dog);
// @ts-expect-error a target may be gone
const alive: Dog = ref.deref();

const registry = new FinalizationRegistry((fd: number) => keepAlive(fd));
type<Equal<typeof registry, FinalizationRegistry<number>>>();
type<Equal<ReturnType<typeof registry.register>, void>>();
type<Equal<ReturnType<typeof registry.unregister>, boolean>>();
registry.register(dog, 1);
registry.register(Symbol('a'), 1, dog);
registry.register(dog, 1, undefined);
const registryToNative: globalThis.FinalizationRegistry<number> = registry;
const registryFromNative: FinalizationRegistry<number> = new globalThis.FinalizationRegistry<number>(() => {});
class NamedRegistry extends FinalizationRegistry<number> {
  label = '';
}
const namedRegistry: FinalizationRegistry<number> = new NamedRegistry(() => {});

// @ts-expect-error what is held is a number
registry.register(dog, '1');
// @ts-expect-error it needs something to hold
registry.register(dog);
// @ts-expect-error a string is no target
registry.register('dog', 1);
// @ts-expect-error a string is no token
registry.register(dog, 1, 'token');
// @ts-expect-error a number is no token
registry.unregister(1);
// @ts-expect-error it needs a callback
new FinalizationRegistry();
// @ts-expect-error no function
new FinalizationRegistry(dog);
// @ts-expect-error a class is not called
FinalizationRegistry(() => {});

const own = installInto(globalThis);
type<Equal<typeof own.WeakRef, WeakRefConstructor>>();
type<Equal<typeof own.FinalizationRegistry, FinalizationRegistryConstructor>>();
type<Equal<keyof typeof own, 'WeakRef' | 'FinalizationRegistry'>>();
type<Equal<Parameters<typeof installInto>, [global: object]>>();
const realm = createContext();
const ofRealm = installInto(runInContext('globalThis', realm));
const refOfRealm: WeakRef<Dog> = new ofRealm.WeakRef(dog);
// @ts-expect-error it needs a realm
installInto();
// @ts-expect-error a string is no global object
installInto('globalThis');
// @ts-expect-error the constructors of a realm are read-only
own.WeakRef = globalThis.WeakRef;

// Imported for what it does.
type<Equal<keyof typeof global, never>>();

keepAlive([toNative, fromNative, toSymbol, named, back, alive, registryToNative, registryFromNative, namedRegistry]);
keepAlive([refToString, refOfRealm, global]);
