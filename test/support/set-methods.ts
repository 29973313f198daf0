/** Set methods of ECMAScript 2025: those that make a set, and those that answer. */
export const MAKING = ['union', 'intersection', 'difference', 'symmetricDifference'] as const;
export const ASKING = ['isSubsetOf', 'isSupersetOf', 'isDisjointFrom'] as const;
export const SET_METHODS = [...MAKING, ...ASKING] as const;
