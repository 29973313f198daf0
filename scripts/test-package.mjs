// Packs the library and uses the tarball as a stranger would: on every supported major, with no compiler on the PATH and
// install scripts switched off; and then with the binary missing, with one of another major, and with nothing to build with.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAJORS, nodeMajor } from './majors.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'weakly-package-'));
const ABI = { 20: 115, 22: 127, 24: 137, 26: 147 };
const BINARIES = ['x64', 'arm64'].flatMap((arch) =>
  MAJORS.map((major) => `prebuilds/linux-${arch}/weakly.abi${ABI[major]}.node`),
);
/** Of what the binaries ask for, what musl 1.2.3 has: looked up in its libc.so (`nm -D`), as Debian has it. */
const IN_MUSL = new Set(
  '__cxa_finalize calloc free madvise memcpy memmove memset realloc snprintf strlen sysconf'.split(' '),
);
let passed = 0;

/** Of whatever processor. */
function symbolsOf(binary) {
  return execFileSync('readelf', ['-W', '--dyn-syms', join(root, binary)], { encoding: 'utf8', maxBuffer: 1 << 26 });
}

function test(name, run) {
  try {
    run();
  } catch (error) {
    console.error(`not ok - ${name}`);
    throw error;
  }
  passed++;
  console.log(`ok - ${name}`);
}

/** A PATH with a Node.js, its npm and a shell, and nothing that compiles. */
function barePath(major) {
  const bin = join(work, `bin-${major}`);
  mkdirSync(bin, { recursive: true });
  const { node } = nodeMajor(major);
  if (!existsSync(join(bin, 'node'))) symlinkSync(node, join(bin, 'node'));
  const npm = execFileSync('which', ['npm'], { encoding: 'utf8' }).trim();
  const npmCli = execFileSync('readlink', ['-f', npm], { encoding: 'utf8' }).trim();
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\nexec "${join(bin, 'node')}" "${npmCli}" "$@"\n`);
  chmodSync(join(bin, 'npm'), 0o755);
  for (const tool of ['sh', 'env']) {
    const from = execFileSync('which', [tool], { encoding: 'utf8' }).trim();
    if (!existsSync(join(bin, tool))) symlinkSync(from, join(bin, tool));
  }
  for (const tool of ['cc', 'gcc', 'g++', 'clang', 'make', 'python3']) assert(!existsSync(join(bin, tool)));
  return bin;
}

function bareEnvironment(major) {
  // npm looks for its settings (a registry's certificates, say) beside its Node.js; this one has none there.
  const setting = (name) => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
  return { ...process.env, PATH: barePath(major), npm_config_globalconfig: setting('globalconfig') };
}

function project(name) {
  const dir = join(work, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"private":true}\n');
  return dir;
}

function install(dir, env, tarball, ...options) {
  return spawnSync('npm', ['install', '--no-audit', '--no-fund', ...options, tarball], {
    cwd: dir,
    env,
    encoding: 'utf8',
  });
}

const USE = `
  const targets = Array.from({ length: 1000 }, (_, id) => ({ id }));
  const kept = targets.map((target) => weakly.make(target));
  const dropped = (() => Array.from({ length: 1000 }, (_, id) => weakly.make({ id })))();
  const deadline = Date.now() + 30000;
  while (dropped.some((pointer) => pointer.alive)) {
    if (Date.now() > deadline) throw new Error('nothing died');
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
  if (!kept.every((pointer, i) => pointer.value() === targets[i] && weakly.make(targets[i]) === pointer)) throw new Error('lost');
  console.log('works ' + dropped.filter((pointer) => pointer.value() === undefined).length);
`;

function use(dir, env) {
  const scripts = {
    'esm.mjs': `import * as weakly from 'weakly';\n${USE}`,
    'cjs.cjs': `const weakly = require('weakly');\n(async () => {${USE}})();`,
    // Every door leads to the same instance, and none has forgotten a name.
    'doors.cjs': `
      const assert = require('node:assert');
      const names = (module) => Object.keys(module).filter((name) => name !== '__esModule').sort();
      (async () => {
        for (const name of ['weakly', 'weakly/collections', 'weakly/events', 'weakly/spec', 'weakly/testing']) {
          const [required, imported] = [require(name), await import(name)];
          assert.deepStrictEqual(names(required), names(imported));
          for (const key of names(imported)) {
            assert.strictEqual(required[key], imported[key]);
            // Bundlers rename what has a name of its own.
            if (typeof imported[key] === 'function') assert.strictEqual(imported[key].name, key);
          }
        }
        const pointer = require('weakly').make({});
        await require('weakly/testing').gcUntil(() => !pointer.alive);
        console.log('works 1000');
      })();`,
    // What comes with dependencies of its own.
    'collections.mjs': `
      import { WeakCache, WeakValueMap, unique } from 'weakly/collections';
      const cache = new WeakCache({ max: 1000 });
      const map = new WeakValueMap();
      for (let i = 0; i < 2000; i++) map.set(i, await cache.fetch(i, () => ({ i })));
      while (map.size > 1000) {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
      }
      if (unique({ a: [1] }) !== unique({ a: [1] })) throw new Error('not the same');
      console.log('works ' + cache.stats().strong);`,
    'global.cjs': `
      const own = [WeakRef, FinalizationRegistry];
      require('weakly/spec/global');
      const { WeakRef: ours, FinalizationRegistry: oursToo } = require('weakly/spec');
      const installed = WeakRef === ours && FinalizationRegistry === oursToo && !own.includes(WeakRef);
      console.log(installed && new WeakRef(own).deref() === own ? 'works 1000' : 'not installed');`,
  };
  for (const [file, text] of Object.entries(scripts)) {
    writeFileSync(join(dir, file), text);
    // Node.js 20 and 22 warn that require() of ESM is experimental; that is theirs to say.
    const ran = spawnSync('node', ['--expose-gc', file], { cwd: dir, env, encoding: 'utf8' });
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.stdout, 'works 1000\n');
  }
}

/** Runs an import that must fail; the error's code and message. */
function failedImport(dir, env) {
  const script =
    "import('weakly').then(() => console.log('{}'), (e) => console.log(JSON.stringify({ code: e.code, message: e.message, cause: e.cause?.message })))";
  const ran = spawnSync('node', ['-e', script], { cwd: dir, env, encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
  return JSON.parse(ran.stdout);
}

function newest(versions) {
  return (
    versions
      .map((v) => v.split('.').map(Number))
      .sort((a, b) => a[0] - b[0] || a[1] - b[1] || (a[2] ?? 0) - (b[2] ?? 0))
      .at(-1)
      ?.join('.') ?? '0'
  );
}

function atMost(version, limit) {
  return newest([version, limit]) === newest([limit]);
}

function main() {
  for (const [arch, ...option] of [['x64'], ['arm64', '--arm64']])
    for (const major of MAJORS) {
      if (existsSync(join(root, `prebuilds/linux-${arch}/weakly.abi${ABI[major]}.node`))) continue;
      const args = [join(root, 'scripts', 'prebuild.mjs'), ...option, String(major)];
      execFileSync(process.execPath, args, { stdio: 'inherit' });
    }
  // Packed from a copy with exactly these binaries: a local build for another Node.js must not slip into a release.
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work], {
      cwd: root,
      encoding: 'utf8',
    }),
  );
  const [{ filename, files, version }] = Array.isArray(packed) ? packed : Object.values(packed);
  const tarball = join(work, filename);

  test('package.json and CHANGELOG.md name the same version', () => {
    const top = /^## (\d+\.\d+\.\d+)/m.exec(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))?.[1];
    assert.equal(top, version);
  });

  test('it has no install script, and one dependency', () => {
    const { scripts, dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    for (const name of ['preinstall', 'install', 'postinstall']) assert.equal(scripts[name], undefined);
    assert.deepEqual([Object.keys(dependencies), optionalDependencies], [['lru-cache'], undefined]);
  });

  test('the tarball has what it needs, and nothing else', () => {
    const list = (dir, fits) =>
      readdirSync(join(root, dir), { recursive: true })
        .map((file) => `${dir}/${file}`)
        .filter(fits);
    const expected = [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'package.json',
      'binding.gyp',
      'scripts/build.mjs',
      ...BINARIES,
      ...list('lib/cjs', () => true),
      ...list('lib/runners', () => true),
      ...list('native', (file) => /\.(cc|h)$/.test(file)),
      ...list('dist', (file) => /\.js$/.test(file) && !file.includes('internals')),
      ...list('lib', (file) => file.endsWith('.ts') && file !== 'lib/internals.ts').map((file) =>
        file.replace(/^lib/, 'dist').replace(/\.ts$/, '.d.ts'),
      ),
    ];
    assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
  });

  test('no binary needs a glibc or libstdc++ younger than Node.js itself does', () => {
    for (const binary of BINARIES) {
      const symbols = symbolsOf(binary);
      for (const [family, limit] of [
        ['GLIBC', '2.28'],
        ['GLIBCXX', '3.4.25'],
      ]) {
        const versions = [...symbols.matchAll(new RegExp(`\\b${family}_([0-9.]+)`, 'g'))].map((match) => match[1]);
        assert(versions.length > 0 && atMost(newest(versions), limit), `${binary} needs ${family}_${newest(versions)}`);
      }
    }
  });

  test('musl has what a binary asks of libc: by symbols, not run', () => {
    for (const binary of BINARIES) {
      const asked = [...symbolsOf(binary).matchAll(/ UND (\w+)@GLIBC_/g)].map((match) => match[1]);
      assert(asked.length > 0, `${binary} asks for nothing`);
      assert.deepEqual(
        asked.filter((name) => !IN_MUSL.has(name)),
        [],
        binary,
      );
    }
  });

  for (const major of MAJORS) {
    test(`Node.js ${major}: installs without a compiler and without install scripts, loads and works`, () => {
      const dir = project(`project-${major}`);
      const env = bareEnvironment(major);
      const installed = install(dir, env, tarball, '--ignore-scripts');
      assert.equal(installed.status, 0, installed.stderr);
      use(dir, env);
    });
  }

  const dir = join(work, `project-${MAJORS[0]}`);
  const env = bareEnvironment(MAJORS[0]);
  const prebuilds = join(dir, 'node_modules', 'weakly', 'prebuilds', 'linux-x64');
  const own = join(prebuilds, `weakly.abi${ABI[MAJORS[0]]}.node`);

  test('a binary of another major is refused by name, and does not crash', () => {
    copyFileSync(join(prebuilds, `weakly.abi${ABI[MAJORS[1]]}.node`), own);
    const { code, message, cause } = failedImport(dir, env);
    assert.equal(code, 'ERR_WEAKLY_BINARY');
    assert.match(message, new RegExp(`abi${ABI[MAJORS[0]]}.*does not load on linux-x64`));
    assert.match(cause, new RegExp(`built for Node.js ${MAJORS[1]}, but this is Node.js ${MAJORS[0]}`));
  });

  test('a missing binary is reported with platform, ABI and what to do', () => {
    rmSync(prebuilds, { recursive: true });
    const { code, message } = failedImport(dir, env);
    assert.equal(code, 'ERR_WEAKLY_BINARY');
    assert.match(message, new RegExp(`linux-x64.*ABI ${ABI[MAJORS[0]]}.*looked for at .*npx weakly build`));
    assert.doesNotMatch(message, /bundle/);
  });

  test('with neither binary nor compiler, npx weakly build says what it wants to make, and fails', () => {
    const built = spawnSync('npm', ['exec', '--', 'weakly', 'build'], {
      cwd: dir,
      env,
      encoding: 'utf8',
    });
    const output = built.stdout + built.stderr;
    assert.notEqual(built.status, 0, output);
    assert.match(output, new RegExp(`compiling for linux-x64.*ABI ${ABI[MAJORS[0]]}`));
  });

  test('with a compiler, npx weakly build makes a binary that works, once', () => {
    const { node, nodedir } = nodeMajor(MAJORS[0]);
    const full = {
      ...process.env,
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
      npm_config_nodedir: nodedir,
    };
    const build = () => spawnSync('npm', ['exec', '--', 'weakly', 'build'], { cwd: dir, env: full, encoding: 'utf8' });
    const built = build();
    assert.equal(built.status, 0, built.stdout + built.stderr);
    use(dir, env);
    assert.match(build().stdout, /nothing to do/);
  });

  console.log(`${passed} passed, 0 failed`);
}

try {
  main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
