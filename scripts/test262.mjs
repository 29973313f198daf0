// What both scripts that run ECMAScript's own tests read of a test's front matter.

/** The values of a key, whether they are in brackets or one a line. */
export function list(yaml, key) {
  const inline = new RegExp(`^${key}: *\\[(.*)\\]`, 'm').exec(yaml)?.[1];
  if (inline !== undefined) return inline.split(',').map((item) => item.trim());
  const block = new RegExp(`^${key}:\\n((?: +- .*\\n?)+)`, 'm').exec(yaml)?.[1];
  return block === undefined ? [] : [...block.matchAll(/- (.*)/g)].map((match) => match[1].trim());
}
