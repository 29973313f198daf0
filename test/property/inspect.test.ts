import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { WeakKeyMap, WeakKeySet, WeakValueMap } from '../../lib/collections/index.js';
import { finalizable } from '../../lib/index.js';
import { PROPERTY_TIMEOUT_MS, runs } from '../support/property.js';

/*
 * Graphs of objects and collections, with whatever cycles, made twice: of ours and of built-ins that have our names. What
 * util.inspect makes of the two is to be the same text.
 */

const named = <C extends abstract new (...args: never[]) => object>(Class: C, name: string): C => {
  Object.defineProperty(Class, 'name', { value: name });
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: name });
  return Class;
};

const ValueTwin = named(class extends Map<unknown, unknown> {}, 'WeakValueMap');
const KeyTwin = named(class extends Map<unknown, unknown> {}, 'WeakKeyMap');
const SetTwin = named(class extends Set<unknown> {}, 'WeakKeySet');

type Kind = 'object' | 'array' | 'value' | 'key' | 'set' | 'stand-in';

interface Graph {
  readonly kinds: readonly Kind[];
  readonly edges: readonly (readonly [from: number, to: number])[];
}

function build({ kinds, edges }: Graph, ours: boolean): readonly object[] {
  const nodes = kinds.map((kind): object => {
    switch (kind) {
      case 'object':
        return {};
      case 'stand-in':
        return ours ? finalizable({}, () => undefined) : {};
      case 'array':
        return [];
      case 'value':
        return ours ? new WeakValueMap() : new ValueTwin();
      case 'key':
        return ours ? new WeakKeyMap() : new KeyTwin();
      default:
        return ours ? new WeakKeySet() : new SetTwin();
    }
  });
  edges.forEach(([from, to], i) => {
    const node = nodes[from % nodes.length];
    const target = nodes[to % nodes.length] as object;
    const kind = kinds[from % nodes.length];
    if (kind === 'value') (node as Map<unknown, unknown>).set(`k${i}`, target);
    else if (kind === 'key') (node as Map<unknown, unknown>).set(target, i);
    else if (kind === 'set') (node as Set<unknown>).add(target);
    else if (kind === 'array') (node as unknown[]).push(target);
    else Object.assign(node as object, { [`p${i}`]: target });
  });
  return nodes;
}

const graphs = fc.record({
  kinds: fc.array(fc.constantFrom<Kind>('object', 'array', 'value', 'key', 'set', 'stand-in'), {
    minLength: 1,
    maxLength: 6,
  }),
  edges: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 9 }),
});

const options = fc.record({
  depth: fc.constantFrom(0, 1, 2, 4, null),
  compact: fc.constantFrom<boolean | number>(true, false, 1, 3),
  colors: fc.boolean(),
  sorted: fc.boolean(),
  breakLength: fc.constantFrom(20, 80, 128),
  maxArrayLength: fc.constantFrom(0, 1, 100),
});

describe('inspect', () => {
  it(
    'shows any graph of objects and collections as one of built-ins',
    () => {
      fc.assert(
        fc.property(graphs, options, (graph, how) => {
          const ours = build(graph, true);
          const builtIns = build(graph, false);
          return ours.every((node, i) => inspect(node, how) === inspect(builtIns[i], how));
        }),
        runs(400),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});
