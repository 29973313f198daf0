// Compiled, never run: `npm run test:types`. Each line that must not compile says so.
// With the newest types of Set and Map, too: what a program with a target of ESNext has.
/// <reference lib="esnext.collection" />

import {
  type CacheCounts,
  Handle,
  type LoadContext,
  type SetLike,
  Unique,
  type UniqueOptions,
  unique,
  WeakCache,
  type WeakCacheClock,
  type WeakCacheFetchOptions,
  type WeakCacheOptions,
  type WeakCacheSetOptions,
  type WeakCacheStats,
  WeakKeyMap,
  WeakKeySet,
  WeakValueMap,
} from '../../lib/collections/index.js';
import { keepAlive } from '../../lib/index.js';
import { type Animal, Dog, type Equal, type } from './kit.js';

class Tag {
  number = 0;
}

const dog = new Dog();
const tag = new Tag();

// --- WeakValueMap ---

const byName = new WeakValueMap([['Rex', dog]]);
type<Equal<typeof byName, WeakValueMap<string, Dog>>>();
type<Equal<ReturnType<typeof byName.get>, Dog | undefined>>();
type<Equal<typeof byName.size, number>>();
const copied = new WeakValueMap(new Map([[1, dog]]));
type<Equal<typeof copied, WeakValueMap<number, Dog>>>();
const again = new WeakValueMap(byName);
type<Equal<typeof again, WeakValueMap<string, Dog>>>();
const chained: WeakValueMap<string, Dog> = byName.set('Rex', dog).set('Max', dog);
type<Equal<ReturnType<typeof byName.getOrInsert>, Dog>>();
byName.getOrInsertComputed('Rex', (key) => {
  type<Equal<typeof key, string>>();
  return new Dog();
});

// Whatever takes a Map takes it, and what is made of it has its types.
const asMap: Map<string, Dog> = byName;
const asReadonlyMap: ReadonlyMap<string, Animal> = byName;
const strong = new Map(byName);
type<Equal<typeof strong, Map<string, Dog>>>();
// Covariant, as a Map is.
const animals: WeakValueMap<string, Animal> = byName;
// @ts-expect-error an animal need not be a dog
const dogs: WeakValueMap<string, Dog> = animals;
// @ts-expect-error a Map holds its values
const fromMap: WeakValueMap<string, Dog> = new Map<string, Dog>();

type<Equal<ReturnType<typeof byName.keys>, MapIterator<string>>>();
type<Equal<ReturnType<typeof byName.values>, MapIterator<Dog>>>();
type<Equal<ReturnType<typeof byName.entries>, MapIterator<[string, Dog]>>>();
for (const entry of byName) type<Equal<typeof entry, [string, Dog]>>();
byName.forEach((value, key, map) => {
  type<Equal<[typeof value, typeof key, typeof map], [Dog, string, WeakValueMap<string, Dog>]>>();
});

// Keys can be anything, values what can be held weakly.
const anyKey: WeakValueMap<unknown, Dog> = new WeakValueMap<unknown, Dog>().set(null, dog).set(1, dog);
const symbols = new WeakValueMap<string, symbol>().set('a', Symbol('a'));
const functions = new WeakValueMap<string, () => void>(null);
// @ts-expect-error a number is no value
new WeakValueMap<string, number>();
// @ts-expect-error null is no value
new WeakValueMap<string, Dog | null>();
// @ts-expect-error a string is no value
new WeakValueMap([['Rex', 'dog']]);
// @ts-expect-error a tag is no dog
byName.set('Rex', tag);
// @ts-expect-error a key is a string
byName.get(1);
// @ts-expect-error what is computed has to be a dog
byName.getOrInsertComputed('Rex', () => undefined);
// @ts-expect-error an item is a key and a value
new WeakValueMap<string, Dog>(['Rex', dog]);
// @ts-expect-error its size is read-only
byName.size = 0;

const byFirst = WeakValueMap.groupBy([dog], (item, index) => {
  type<Equal<[typeof item, typeof index], [Dog, number]>>();
  return item.name.length;
});
type<Equal<typeof byFirst, WeakValueMap<number, Dog[]>>>();
// @ts-expect-error an item holds its group, which a number cannot
WeakValueMap.groupBy([1, 2], (n) => n);

// --- WeakKeyMap ---

const ages = new WeakKeyMap([[dog, 7]]);
type<Equal<typeof ages, WeakKeyMap<Dog, number>>>();
type<Equal<ReturnType<typeof ages.get>, number | undefined>>();
const fromWeak = new WeakKeyMap(ages);
type<Equal<typeof fromWeak, WeakKeyMap<Dog, number>>>();
const agesChained: WeakKeyMap<Dog, number> = ages.set(dog, 8).set(new Dog(), 1);
type<Equal<ReturnType<typeof ages.getOrInsert>, number>>();
ages.getOrInsertComputed(dog, (key) => {
  type<Equal<typeof key, Dog>>();
  return key.name.length;
});

const agesAsMap: Map<Dog, number> = ages;
const agesReadonly: ReadonlyMap<Dog, number> = ages;
const agesAsWeakMap: WeakMap<Dog, number> = ages;

type<Equal<ReturnType<typeof ages.keys>, MapIterator<Dog>>>();
type<Equal<ReturnType<typeof ages.values>, MapIterator<number>>>();
type<Equal<ReturnType<typeof ages.entries>, MapIterator<[Dog, number]>>>();
for (const entry of ages) type<Equal<typeof entry, [Dog, number]>>();
ages.forEach((value, key, map) => {
  type<Equal<[typeof value, typeof key, typeof map], [number, Dog, WeakKeyMap<Dog, number>]>>();
});

// Values can be anything, keys what can be held weakly.
const anyValue: WeakKeyMap<symbol, unknown> = new WeakKeyMap<symbol, unknown>().set(Symbol('a'), undefined);
// @ts-expect-error a string is no key
new WeakKeyMap<string, number>();
// @ts-expect-error undefined is no key
new WeakKeyMap<Dog | undefined, number>();
// @ts-expect-error a number is no key
new WeakKeyMap([[1, dog]]);
// @ts-expect-error a tag is no dog
ages.has(tag);
// @ts-expect-error an age is a number
ages.set(dog, 'seven');
// @ts-expect-error its size is read-only
ages.size = 0;

const byTag = WeakKeyMap.groupBy([1, 2, 3], (item, index) => {
  type<Equal<[typeof item, typeof index], [number, number]>>();
  return tag;
});
type<Equal<typeof byTag, WeakKeyMap<Tag, number[]>>>();
// @ts-expect-error a string is no key
WeakKeyMap.groupBy([1, 2], (n) => String(n));

// --- WeakKeySet ---

const kennel = new WeakKeySet([dog]);
type<Equal<typeof kennel, WeakKeySet<Dog>>>();
const kennelChained: WeakKeySet<Dog> = kennel.add(dog).add(new Dog());
const asSet: Set<Dog> = kennel;
const asReadonlySet: ReadonlySet<Animal> = kennel;
const asWeakSet: WeakSet<Dog> = kennel;
const strongSet = new Set(kennel);
type<Equal<typeof strongSet, Set<Dog>>>();

type<Equal<ReturnType<typeof kennel.keys>, SetIterator<Dog>>>();
type<Equal<ReturnType<typeof kennel.values>, SetIterator<Dog>>>();
type<Equal<ReturnType<typeof kennel.entries>, SetIterator<[Dog, Dog]>>>();
for (const member of kennel) type<Equal<typeof member, Dog>>();
kennel.forEach((value, same, set) => {
  type<Equal<[typeof value, typeof same, typeof set], [Dog, Dog, WeakKeySet<Dog>]>>();
});

const setLike = {} as ReadonlySetLike<Tag>;
const ours: SetLike<Tag> = setLike;
const theirs: ReadonlySetLike<Tag> = ours;

const union = kennel.union(setLike);
type<Equal<typeof union, WeakKeySet<Dog | Tag>>>();
const unionOfWeak = kennel.union(new WeakKeySet([tag]));
type<Equal<typeof unionOfWeak, WeakKeySet<Dog | Tag>>>();
const either = kennel.symmetricDifference(new Set([tag]));
type<Equal<typeof either, WeakKeySet<Dog | Tag>>>();
// The keys of a Map are a set.
const both = kennel.intersection(new Map([[tag, 1]]));
type<Equal<typeof both, WeakKeySet<Dog & Tag>>>();
// What is only asked for may be anything.
const rest = kennel.difference(new Set([1, 'a']));
type<Equal<typeof rest, WeakKeySet<Dog>>>();
const answers = [kennel.isSubsetOf(setLike), kennel.isSupersetOf(new Set<number>()), kennel.isDisjointFrom(ages)];
type<Equal<typeof answers, boolean[]>>();

// @ts-expect-error a string is no member
new WeakKeySet<string>();
// @ts-expect-error null is no member
new WeakKeySet<Dog | null>();
// @ts-expect-error a number is no member
new WeakKeySet([1]);
// @ts-expect-error a tag is no dog
kennel.add(tag);
// @ts-expect-error numbers would have to be members
kennel.union(new Set([1]));
// @ts-expect-error strings would have to be members
kennel.symmetricDifference(new Set(['a']));
// @ts-expect-error an array is no set
kennel.intersection([dog]);
// @ts-expect-error nor is an iterator
kennel.isSubsetOf(kennel.values());
// @ts-expect-error a WeakSet can be neither counted nor iterated
const fromWeakSet: WeakKeySet<Dog> = new WeakSet<Dog>();

// --- WeakCache ---

const cache = new WeakCache<string, Dog>({ max: 100 });
type<Equal<ReturnType<typeof cache.get>, Dog | undefined>>();
const cacheChained: WeakCache<string, Dog> = cache.set('Rex', dog).set('Max', dog, { ttl: 1000, size: 2 });
const options: WeakCacheOptions<string, Dog> = {
  max: 1,
  maxSize: 2,
  maxEntrySize: 2,
  sizeCalculation: (value, key) => {
    type<Equal<[typeof value, typeof key], [Dog, string]>>();
    return value.name.length + key.length;
  },
  ttl: 1,
  updateAgeOnGet: true,
  perf: performance,
  maxHeapRatio: 0.8,
  history: 0,
};
const inferred = new WeakCache(options);
type<Equal<typeof inferred, WeakCache<string, Dog>>>();
const bySize = new WeakCache({ max: 1, sizeCalculation: (value: Dog, key: number) => value.name.length + key });
type<Equal<typeof bySize, WeakCache<number, Dog>>>();

type<Equal<ReturnType<typeof cache.fetch>, Promise<Dog>>>();
cache.fetch('Rex', () => dog);
cache.fetch('Rex', async (key, context) => {
  type<Equal<[typeof key, typeof context], [string, LoadContext<Dog>]>>();
  type<Equal<typeof context.stale, Dog | undefined>>();
  context.ttl = 5;
  // @ts-expect-error it is told the signal
  context.signal = AbortSignal.timeout(1);
  type<Equal<typeof context.signal, AbortSignal>>();
  return new Dog();
});
cache.fetch('Rex', async () => dog, { signal: AbortSignal.timeout(1), ttl: 1, size: 1 });
const setOptions: WeakCacheSetOptions = {};
const fetchOptions: WeakCacheFetchOptions = setOptions;
type<Equal<ReturnType<(typeof cache)[typeof Symbol.asyncDispose]>, Promise<void>>>();
const disposable: AsyncDisposable = cache;

const stats: WeakCacheStats = cache.stats();
const counts: CacheCounts | undefined = cache.statsOf('Rex');
const totals: CacheCounts = stats;
type<
  Equal<
    keyof CacheCounts,
    'hitsStrong' | 'hitsWeak' | 'hitsStale' | 'coalesced' | 'misses' | 'loads' | 'loadErrors' | 'deaths'
  >
>();
type<Equal<keyof WeakCacheStats, keyof CacheCounts | 'hitRatio' | 'strong' | 'weak' | 'loading'>>();

// @ts-expect-error a string is no value
new WeakCache<string, string>({ max: 1 });
// @ts-expect-error a symbol is no value, here: an object or a function is
new WeakCache<string, symbol>({ max: 1 });
// @ts-expect-error undefined is no key
new WeakCache<string | undefined, Dog>({ max: 1 });
// @ts-expect-error it needs options
new WeakCache<string, Dog>();
// @ts-expect-error it needs a limit
new WeakCache<string, Dog>({});
// @ts-expect-error this is none
new WeakCache<string, Dog>({ maxHeapRatio: 0.8, updateAgeOnGet: true });
new WeakCache<string, Dog>({ maxSize: 1, ttl: undefined });
new WeakCache<string, Dog>({ ttl: 1 });
const clocks: WeakCacheClock[] = [performance, Date, { now: () => 0 }];
new WeakCache<string, Dog>({ ttl: 1, perf: clocks[0] });
// @ts-expect-error a clock gives a number
new WeakCache<string, Dog>({ ttl: 1, perf: { now: () => 1n } });
// @ts-expect-error no such option
new WeakCache<string, Dog>({ maximum: 1 });
// @ts-expect-error a limit is a number
new WeakCache<string, Dog>({ max: '1' });
// @ts-expect-error a size is a number
new WeakCache<string, Dog>({ maxSize: 1, sizeCalculation: (value) => value.name });
// @ts-expect-error a tag is no dog
cache.set('Rex', tag);
// @ts-expect-error no such option: only who waits can give up
cache.set('Rex', dog, { signal: AbortSignal.timeout(1) });
cache.fetch('Rex');
cache.fetch('Rex', { signal: AbortSignal.timeout(1) });
cache.fetch('Rex', undefined, { ttl: 1 });
// @ts-expect-error options are the last argument
cache.fetch('Rex', { ttl: 1 }, () => dog);
// @ts-expect-error the loader has to give a dog
cache.fetch('Rex', () => tag);
// @ts-expect-error a loader that finds nothing has to throw
cache.fetch('Rex', async () => undefined);
// @ts-expect-error what is passed is the signal, not its controller
cache.fetch('Rex', () => dog, { signal: new AbortController() });
// @ts-expect-error stats are read-only
stats.strong = 0;
// @ts-expect-error so are counts
totals.misses = 0;
// @ts-expect-error its size is read-only
cache.size = 0;
for (const entry of cache) type<Equal<typeof entry, [string, Dog]>>();
type<Equal<ReturnType<typeof cache.peek>, Dog | undefined>>();
type<Equal<ReturnType<typeof cache.keys>, MapIterator<string>>>();
type<Equal<ReturnType<typeof cache.values>, MapIterator<Dog>>>();
cache.forEach((value, key, of) => {
  type<Equal<[typeof value, typeof key, typeof of], [Dog, string, typeof cache]>>();
});
const loading = new WeakCache({ max: 1, loader: async (_key: number) => new Dog() });
type<Equal<typeof loading, WeakCache<number, Dog>>>();
const loadingAtOnce = new WeakCache({
  max: 1,
  loader: (_key: string) => new Dog(),
  sizeCalculation: (value) => value.name.length,
});
type<Equal<typeof loadingAtOnce, WeakCache<string, Dog>>>();
const revalidating = new WeakCache({
  ttl: 1,
  staleWhileRevalidate: 1,
  loader: async (_key: string, { stale, signal }: LoadContext<Dog>) =>
    signal.aborted || stale === undefined ? new Dog() : stale,
});
type<Equal<typeof revalidating, WeakCache<string, Dog>>>();
// @ts-expect-error the loader has to give a dog
new WeakCache<string, Dog>({ max: 1, loader: () => tag });
// @ts-expect-error it is asked for strings
loadingAtOnce.fetch(1);

// --- unique ---

const handle = unique({ host: 'localhost', ports: [80, 443] });
type<Equal<typeof handle, Handle<{ readonly host: string; readonly ports: readonly number[] }>>>();
// @ts-expect-error what unique() gives is frozen, all of it
handle.value.ports[0] = 1;
const ofString = unique(dog.name);
type<Equal<typeof ofString, Handle<string>>>();
const ofNull = unique(null);
type<Equal<typeof ofNull, Handle<null>>>();
type Route = readonly ['GET' | 'PUT', string];
const ofTuple = unique<Route>(['GET', '/']);
type<Equal<typeof ofTuple, Handle<Readonly<Route>>>>();
type<Equal<Handle, Handle<unknown>>>();
const ofAnimal: Handle<Animal> = new Unique<Dog>({ key: (value) => value.name }).make(dog);
const ofUnknown: Handle = ofAnimal;

// @ts-expect-error an animal need not be a dog
const ofDog: Handle<Dog> = ofAnimal;
// @ts-expect-error its value is read-only
handle.value = { host: '', ports: [] };
// @ts-expect-error what is declared read-only stays so
ofTuple.value[0] = 'PUT';
// @ts-expect-error handles are made by unique()
new Handle(Symbol('weakly.Handle'), 'a');
// @ts-expect-error what looks like a handle is none
const lookalike: Handle<string> = {} as Pick<Handle<string>, keyof Handle<string>>;

const byKey = new Unique({ key: (value: Dog) => value.name });
type<Equal<typeof byKey, Unique<Dog>>>();
type<Equal<ReturnType<typeof byKey.make>, Handle<Dog>>>();
type<Equal<typeof byKey.size, number>>();
const byHash = new Unique<Dog>({ equals: (a, b) => a.name === b.name, hash: (value) => value.name.length });
const uniqueOptions: UniqueOptions<Dog>[] = [{ key: (value) => value }, { equals: Object.is, hash: () => 0 }];

// @ts-expect-error a tag is no dog
byKey.make(tag);
// @ts-expect-error neither a key, nor equals and hash
new Unique<Dog>({});
// @ts-expect-error it has to be told what equality is
new Unique<Dog>();
// @ts-expect-error equals without hash
new Unique<Dog>({ equals: (a, b) => a === b });
// @ts-expect-error hash without equals
new Unique<Dog>({ hash: (value) => value.name });
// @ts-expect-error a key is a function of the value, not a property's name
new Unique<Dog>({ key: 'name' });
// @ts-expect-error whether two are equal is a boolean
new Unique<Dog>({ equals: (a, b) => a.name.localeCompare(b.name), hash: () => 0 });
// @ts-expect-error no such option
new Unique<Dog>({ key: (value) => value.name, weak: true });
// @ts-expect-error its size is read-only
byKey.size = 0;

keepAlive([chained, asMap, asReadonlyMap, dogs, fromMap, anyKey, symbols, functions]);
keepAlive([agesChained, agesAsMap, agesReadonly, agesAsWeakMap, anyValue]);
keepAlive([kennelChained, asSet, asReadonlySet, theirs, asWeakSet, fromWeakSet]);
keepAlive([cacheChained, fetchOptions, disposable, counts]);
keepAlive([ofUnknown, ofDog, lookalike, byHash, uniqueOptions]);
