// Compiled, never run: `npm run test:types`. Each line that must not compile says so.

import {
  type CodedError,
  type ErrorCode,
  type Field,
  type FieldPointer,
  isPointer,
  keepAlive,
  make,
  makeField,
  Pointer,
} from '../../lib/index.js';
import { type Animal, Dog, type Equal, type } from './kit.js';

const dog = new Dog();
const pointer = make(dog);
type<Equal<typeof pointer, Pointer<Dog>>>();
type<Equal<ReturnType<typeof pointer.value>, Dog | undefined>>();
type<Equal<typeof pointer.alive, boolean>>();

// Covariant: a pointer to a dog is one to an animal, not the other way round.
const animal: Pointer<Animal> = pointer;
// @ts-expect-error an animal need not be a dog
const back: Pointer<Dog> = animal;

type<Equal<ReturnType<typeof make<Dog>>, Pointer<Dog>>>();
const nothing: Pointer<never> = make(null);
const alsoNothing: Pointer<Dog> = Pointer.nil;
const maybe: Pointer<Dog> = make(Math.random() > 2 ? dog : null);
const symbol: Pointer<symbol> = make(Symbol('x'));
const fn: Pointer<() => number> = make(() => 1);

// @ts-expect-error a number is no target
make(1);
// @ts-expect-error a string is no target
make('s');
// @ts-expect-error pointers are made by make()
new Pointer();
// @ts-expect-error alive is read-only
pointer.alive = false;

const field = makeField(dog, 'name');
type<Equal<typeof field, FieldPointer<Dog, 'name'>>>();
type<Equal<ReturnType<typeof field.value>, Field<Dog, 'name'> | undefined>>();
const place = field.value();
if (place !== undefined) {
  type<Equal<ReturnType<typeof place.get>, string>>();
  type<Equal<typeof place.owner, Dog>>();
  place.set('Rex');
  // @ts-expect-error a name is a string
  place.set(1);
}
const byte: number | undefined = makeField(new Uint8Array(3), 1).value()?.get();
// @ts-expect-error no such property
makeField(dog, 'age');
// @ts-expect-error null has no fields
makeField(null, 'a');
// @ts-expect-error a field pointer is no pointer to the whole
const whole: Pointer<Dog> = field;

const unknown: unknown = pointer;
if (isPointer(unknown)) type<Equal<typeof unknown, Pointer | FieldPointer>>();
type<Equal<ReturnType<typeof keepAlive>, void>>();
const code: ErrorCode = (new Error('x') as CodedError).code;

keepAlive([back, nothing, alsoNothing, maybe, symbol, fn, byte, whole, code]);
