// Packs the library, and has each bundler, tracer and packager make something of a small program that uses it; what was made is run
// where it was made, and moved to where there is no node_modules.
//   node scripts/test-bundlers.mjs [names ...]    those only
// The bundlers are those of test/bundlers/package-lock.json, installed aside.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const only = process.argv.slice(2);
const project = mkdtempSync(join(tmpdir(), 'weakly-bundlers-'));
const modules = join(project, 'node_modules');
const binary = `weakly.abi${process.versions.modules}.node`;
const WORKS = 'works true 1\n';
let passed = 0;

function run(command, args, options = {}) {
  const ran = spawnSync(command, args, { cwd: project, encoding: 'utf8', timeout: 300_000, ...options });
  if (ran.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${ran.stdout}${ran.stderr}${ran.error ?? ''}`);
  return ran.stdout;
}

/** Node.js 20 and 22 warn that require() of ESM is experimental; that is theirs to say. */
const node = (file, cwd = project) => run(process.execPath, ['--no-warnings', file], { cwd });

const bin = (...path) => join(modules, ...path);

async function test(name, body) {
  if (only.length > 0 && !only.some((each) => name.startsWith(each))) return;
  try {
    await body();
  } catch (error) {
    console.error(`not ok - ${name}`);
    throw error;
  }
  passed++;
  console.log(`ok - ${name}`);
}

/** A copy of `dir` where no package is found, while that of the project is away, whose place some bundles know. */
async function moved(dir, body) {
  const away = mkdtempSync(join(tmpdir(), 'weakly-moved-'));
  cpSync(dir, away, { recursive: true });
  renameSync(bin('weakly'), bin('.weakly-away'));
  try {
    return await body(away);
  } finally {
    renameSync(bin('.weakly-away'), bin('weakly'));
    rmSync(away, { recursive: true, force: true });
  }
}

/** What a bundle says that has no binary. */
function expectHelp(file, cwd) {
  const ran = spawnSync(process.execPath, ['--no-warnings', file], { cwd, encoding: 'utf8' });
  assert.notEqual(ran.status, 0, 'it should not run');
  assert.match(ran.stderr, /ERR_WEAKLY_BINARY/);
  assert.match(
    ran.stderr,
    /part of a bundle.*--external:weakly.*copy node_modules\/weakly\/prebuilds beside the bundle/,
  );
}

/** Of bundlers that leave addons alone: in place; moved, which has to say what to do; and with that done. */
async function bundled(out, file) {
  assert.equal(node(join(out, file)), WORKS);
  const prebuilds = join(out, 'prebuilds');
  await moved(out, (dir) => expectHelp(file, dir));
  cpSync(bin('weakly', 'prebuilds'), prebuilds, { recursive: true });
  await moved(out, (dir) => assert.equal(node(join(dir, file), dir), WORKS));
  rmSync(prebuilds, { recursive: true });
}

function fresh(name) {
  const out = join(project, `out-${name}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  return out;
}

async function tracers() {
  const { nodeFileTrace } = await import(pathToFileURL(bin('@vercel', 'nft', 'out', 'index.js')).href);
  for (const entry of ['app.mjs', 'app.cjs'])
    await test(`nft: what it traces of ${entry} is all that it needs`, async () => {
      const out = fresh('nft');
      const { fileList } = await nodeFileTrace([join(project, entry)], { base: project });
      for (const file of fileList) cpSync(join(project, file), join(out, file), { recursive: true });
      await moved(out, (dir) => assert.equal(node(join(dir, entry), dir), WORKS));
    });
}

async function bundlers() {
  const { build } = await import(pathToFileURL(bin('esbuild', 'lib', 'main.js')).href);
  for (const [entry, format] of [
    ['app.mjs', 'esm'],
    ['app.mjs', 'cjs'],
    ['app.cjs', 'cjs'],
  ])
    await test(`esbuild: ${entry} to ${format}`, async () => {
      const out = fresh('esbuild');
      const file = format === 'esm' ? 'bundle.mjs' : 'bundle.cjs';
      const common = { bundle: true, platform: 'node', format, logLevel: 'error', absWorkingDir: project };
      await build({ ...common, entryPoints: [entry], outfile: join(out, file) });
      await bundled(out, file);
    });

  const { rollup } = await import(pathToFileURL(bin('rollup', 'dist', 'es', 'rollup.js')).href);
  const { default: resolve } = await import(
    pathToFileURL(bin('@rollup', 'plugin-node-resolve', 'dist', 'es', 'index.js')).href
  );
  const { default: commonjs } = await import(
    pathToFileURL(bin('@rollup', 'plugin-commonjs', 'dist', 'es', 'index.js')).href
  );
  for (const [entry, format] of [
    ['app.mjs', 'es'],
    ['app.mjs', 'cjs'],
    ['app.cjs', 'cjs'],
  ])
    await test(`rollup: ${entry} to ${format}`, async () => {
      const out = fresh('rollup');
      const file = format === 'es' ? 'bundle.mjs' : 'bundle.cjs';
      const made = await rollup({
        input: join(project, entry),
        plugins: [resolve({ preferBuiltins: true }), commonjs()],
        onwarn: () => {},
      });
      await made.write({ file: join(out, file), format });
      await bundled(out, file);
    });

  for (const [entry, format] of [
    ['app.mjs', 'esm'],
    ['app.mjs', 'cjs'],
  ])
    await test(`tsup, of what is no dependency of the project: ${entry} to ${format}`, async () => {
      const out = fresh('tsup');
      run(process.execPath, [
        bin('tsup', 'dist', 'cli-default.js'),
        entry,
        '--format',
        format,
        '--out-dir',
        out,
        '--no-config',
        '--silent',
        '--target',
        'node20',
      ]);
      await bundled(
        out,
        readdirSync(out).find((name) => /^app\.[cm]?js$/.test(name)),
      );
    });

  const { default: webpack } = await import(pathToFileURL(bin('webpack', 'lib', 'index.js')).href);
  for (const [entry, format] of [
    ['app.mjs', 'esm'],
    ['app.mjs', 'cjs'],
    ['app.cjs', 'cjs'],
  ])
    await test(`webpack: ${entry} to ${format}, with its binaries`, async () => {
      const out = fresh('webpack');
      const file = format === 'esm' ? 'bundle.mjs' : 'bundle.cjs';
      const output = {
        path: out,
        filename: file,
        ...(format === 'esm' ? { module: true, chunkFormat: 'module' } : {}),
      };
      const stats = await new Promise((yes, no) =>
        webpack(
          {
            mode: 'production',
            target: 'node20',
            context: project,
            entry: `./${entry}`,
            output,
            experiments: { outputModule: format === 'esm' },
          },
          (error, made) => (error ? no(error) : yes(made.toJson({ all: false, errors: true, warnings: true }))),
        ),
      );
      assert.deepEqual([stats.errors, stats.warnings], [[], []]);
      assert.equal(node(join(out, file)), WORKS);
      await moved(out, (dir) => assert.equal(node(join(dir, file), dir), WORKS));
    });

  for (const entry of ['app.mjs', 'app.cjs'])
    await test(`ncc: ${entry}, with its binaries`, async () => {
      const out = fresh('ncc');
      run(process.execPath, [bin('@vercel', 'ncc', 'dist', 'ncc', 'cli.js'), 'build', entry, '-o', out, '-q']);
      const file = readdirSync(out).find((name) => name.startsWith('index.'));
      assert.equal(node(join(out, file)), WORKS);
      await moved(out, (dir) => assert.equal(node(join(dir, file), dir), WORKS));
    });
}

/** A server that is asked once. */
async function ask(dir) {
  const port = 20_000 + (process.pid % 20_000);
  const server = spawn(process.execPath, ['server.js'], {
    cwd: dir,
    env: { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  try {
    for (let tries = 0; tries < 150; tries++) {
      await later(200);
      const answer = await fetch(`http://127.0.0.1:${port}/api/weakly`).catch(() => undefined);
      if (answer === undefined && server.exitCode === null) continue;
      const text = await answer?.text();
      assert.equal(text, WORKS, said);
      return;
    }
    throw new Error(`no answer\n${said}`);
  } finally {
    server.kill();
    await once(server, 'close');
  }
}

async function next() {
  for (const [how, args, external] of [
    ['as it is', [], '0'],
    ['with serverExternalPackages', [], '1'],
    ['by webpack, with serverExternalPackages', ['--webpack'], '1'],
  ])
    await test(`Next.js: standalone, ${how}: a build, and a request to it`, async () => {
      const app = join(project, 'next');
      rmSync(join(app, '.next'), { recursive: true, force: true });
      run(process.execPath, [bin('next', 'dist', 'bin', 'next'), 'build', ...args], {
        cwd: app,
        env: { ...process.env, EXTERNAL: external, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' },
      });
      await moved(join(app, '.next', 'standalone'), (dir) => ask(join(dir, 'next')));
    });
}

async function executables() {
  const assets = { [binary]: bin('weakly', 'prebuilds', `${process.platform}-${process.arch}`, binary) };
  const { build } = await import(pathToFileURL(bin('esbuild', 'lib', 'main.js')).href);
  const script = async (out) => {
    const outfile = join(out, 'main.cjs');
    await build({
      entryPoints: ['app.mjs'],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'error',
      absWorkingDir: project,
      outfile,
    });
    return outfile;
  };
  const alone = async (from, file) => {
    const out = fresh('alone');
    copyFileSync(join(from, file), join(out, file));
    chmodSync(join(out, file), 0o755);
    await moved(out, (dir) => {
      const env = { ...process.env, TMPDIR: dir };
      assert.equal(run(join(dir, file), [], { cwd: dir, env }), WORKS);
      assert.deepEqual(readdirSync(dir), [file], 'what was unpacked is removed');
    });
  };

  await test('a single-executable application, with the binary as an asset', async () => {
    const out = fresh('sea');
    const config = {
      main: await script(out),
      output: join(out, 'app.blob'),
      disableExperimentalSEAWarning: true,
      assets,
    };
    writeFileSync(join(out, 'sea.json'), JSON.stringify(config));
    run(process.execPath, ['--experimental-sea-config', join(out, 'sea.json')]);
    copyFileSync(process.execPath, join(out, 'app'));
    chmodSync(join(out, 'app'), 0o755);
    run(process.execPath, [
      bin('postject', 'dist', 'cli.js'),
      join(out, 'app'),
      'NODE_SEA_BLOB',
      join(out, 'app.blob'),
      '--sentinel-fuse',
      'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
    ]);
    await alone(out, 'app');
  });

  await test('pkg (@yao-pkg, as a single-executable application), with the binary as an asset', async () => {
    const out = fresh('pkg');
    const main = await script(out);
    const source = `
      const sea = require(${JSON.stringify(bin('@yao-pkg', 'pkg', 'lib-es5', 'sea.js'))}).default;
      const target = { nodeRange: 'node${process.versions.node.split('.')[0]}', platform: 'linux', arch: process.arch, output: ${JSON.stringify(join(out, 'app'))} };
      sea(${JSON.stringify(main)}, { useLocalNode: true, targets: [target], seaConfig: { assets: ${JSON.stringify(assets)} } });`;
    // It calls node and `npx postject` by their names, and that asks whether it may.
    const path = `${dirname(process.execPath)}:${bin('.bin')}:${process.env.PATH}`;
    run(process.execPath, ['-e', source], { env: { ...process.env, PATH: path, npm_config_yes: 'true' } });
    await alone(out, 'app');
  });
}

try {
  for (const file of readdirSync(join(root, 'test', 'bundlers'))) cpSync(join(root, 'test', 'bundlers', file), join(project, file), { recursive: true });
  const npm = (args) => execFileSync('npm', args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  const packed = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], { cwd: root, encoding: 'utf8' }));
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
  npm(['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', join(project, filename)]);
  assert(existsSync(bin('weakly', 'prebuilds', `${process.platform}-${process.arch}`, binary)), 'the tarball has no binary for this Node.js: npm run build');
  await tracers();
  await bundlers();
  await next();
  await executables();
  console.log(`${passed} passed, 0 failed`);
} finally {
  rmSync(project, { recursive: true, force: true });
} // biome-ignore format: one line each
