// The snippets of README.md and docs/: each is type-checked, strictly, and run; what it prints is what its comments say.
//
//   ```js    an ES module; parameters without a type may be anything. With `require` of a jest door: a test of jest
//   ```ts    TypeScript. One that imports vitest is run by that, one that imports node:test by Node.js
//
// `console.log(x); // text` at the top level has to print a line that `text` begins with. Needs `npm run build`.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dir = join(root, '.snippets');

/** Where they are: all that people read. */
function documents() {
  const docs = readdirSync(join(root, 'docs'), { recursive: true }).filter((file) => file.endsWith('.md'));
  return ['README.md', ...docs.map((file) => join('docs', file)).sort()];
}

/** With the number of its first line, for messages. */
function snippetsOf(file) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const snippets = [];
  let open;
  for (const [i, line] of lines.entries()) {
    const fence = /^```(\w*)$/.exec(line);
    if (fence === null) {
      open?.lines.push(line);
    } else if (open === undefined) {
      open = { file, line: i + 2, language: fence[1], lines: [] };
    } else {
      if (open.language === 'js' || open.language === 'ts') snippets.push(open);
      else assert(['sh', 'text', 'json'].includes(open.language), `${file}:${open.line}: a block of ${open.language || 'nothing'}`);
      open = undefined;
    }
  }
  assert(open === undefined, `${file}:${open?.line}: a block that has no end`);
  return snippets.map((snippet) => ({ ...snippet, text: `${snippet.lines.join('\n')}\n` }));
} // biome-ignore format: one line each

/** How it is run, by what it imports. */
function runnerOf({ text, language }) {
  if (/from 'vitest'/.test(text)) return { runner: 'vitest', extension: `test.${language}` };
  if (/testing\/jest'/.test(text)) return { runner: 'jest', extension: 'test.cjs' };
  if (/from 'node:test'/.test(text)) return { runner: 'test', extension: language === 'ts' ? 'mts' : 'mjs' };
  return { runner: 'node', extension: language === 'ts' ? 'mts' : 'mjs' };
}

const bin = (...path) => join(root, 'node_modules', ...path);

function run(args) {
  const env = { ...process.env, NO_COLOR: '1', CI: 'true' };
  const ran = spawnSync(process.execPath, args, { cwd: dir, env, encoding: 'utf8', timeout: 60_000 });
  assert.equal(ran.status, 0, `${ran.stdout}${ran.stderr}${ran.error ?? ''}`);
  return ran.stdout;
}

/** What is printed stands behind what prints it, in that order. */
function compare(output, { lines }) {
  const comments = lines.flatMap((line) => {
    const comment = /^(.*\S)\s+\/\/ (.*)$/.exec(line);
    return comment === null ? [] : [{ text: comment[2], isPrinted: /^console\.log\(/.test(comment[1]), seen: false }];
  });
  let at = 0;
  for (const line of output.split('\n').filter((each) => each !== '')) {
    const found = comments.findIndex(({ text }, i) => i >= at && text.startsWith(line));
    assert(found >= 0, `printed, and not said: ${line}`);
    comments[found].seen = true;
    at = found + 1;
  }
  const silent = comments.find(({ isPrinted, seen }) => isPrinted && !seen);
  assert(silent === undefined, `said, and not printed: ${silent?.text}`);
}

const ARGS = {
  node: (file) => [file],
  test: (file) => ['--test', file],
  vitest: (file) => [bin('vitest', 'vitest.mjs'), 'run', '--root', dir, '--config', join(dir, 'vitest.config.mjs'), file],
  jest: (file) => [bin('jest', 'bin', 'jest.js'), '--rootDir', dir, '--testMatch', `**/${file}`, '--no-watchman'],
}; // biome-ignore format: one line each

const COMPILER = {
  target: 'ES2022',
  lib: ['ES2023', 'DOM'],
  module: 'NodeNext',
  types: ['node'],
  strict: true,
  noEmit: true,
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
};

rmSync(dir, { recursive: true, force: true });
mkdirSync(dir);
try {
  writeFileSync(join(dir, 'vitest.config.mjs'), "export default { test: { include: ['**/*.test.ts'] } };\n");
  writeFileSync(join(dir, 'jest.d.ts'), 'declare const test: (name: string, run: () => unknown) => void;\ndeclare const expect: (value: unknown) => jest.Matchers<void>;\n');
  const snippets = documents().flatMap(snippetsOf);
  for (const snippet of snippets) {
    const { runner, extension } = runnerOf(snippet);
    const name = `${snippet.file.replace(/[^a-z0-9]+/gi, '-')}-${snippet.line}.${extension}`;
    Object.assign(snippet, { runner, name });
    // Line for line: messages of the compiler name the lines of the document, less that of its first.
    writeFileSync(join(dir, name), snippet.text);
  }
  for (const [language, options] of [['js', { noImplicitAny: false }], ['ts', {}]]) {
    const files = snippets.filter((snippet) => snippet.language === language).map(({ name }) => name);
    if (files.length === 0) continue;
    const config = join(dir, `tsconfig.${language}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions: { ...COMPILER, ...options }, files: [...files, 'jest.d.ts'] }));
    const checked = spawnSync(process.execPath, [bin('typescript', 'bin', 'tsc'), '-p', config], { cwd: dir, encoding: 'utf8' });
    assert.equal(checked.status, 0, `type errors in snippets (file-line of the document):\n${checked.stdout}${checked.stderr}`);
  }
  console.log(`ok - ${snippets.length} snippets have no type errors`);
  for (const snippet of snippets) {
    const where = `${relative(root, join(root, snippet.file))}:${snippet.line}`;
    try {
      const output = run(ARGS[snippet.runner](snippet.name));
      if (snippet.runner === 'node') compare(output, snippet);
    } catch (error) {
      throw new Error(`${where}: ${error.message}`, { cause: error });
    }
    console.log(`ok - ${where}`);
  }
  console.log(`${snippets.length} snippets, each checked and run`);
} finally {
  rmSync(dir, { recursive: true, force: true });
} // biome-ignore format: one line each
