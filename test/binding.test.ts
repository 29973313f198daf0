import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assertRuntime, binding, loadBinding } from '../lib/binding.js';
import { locate } from '../lib/locate.js';

const none = { path: undefined, tried: ['/package/prebuilds/x.node', '/elsewhere/x.node'], isBundled: false };

describe('the binary', () => {
  it('is opened where it was found', () => {
    const loaded = loadBinding(
      () => ({ ...none, path: '/some/x.node' }),
      (path) => ({ open: () => ({ path }) }),
    );
    expect(loaded).toEqual({ path: '/some/x.node' });
  });

  it('that is missing gives ERR_WEAKLY_BINARY with platform, ABI, where it was looked for, and what to do', () => {
    expect(() => loadBinding(() => none, () => ({}))).toThrow(
      expect.objectContaining({
        code: 'ERR_WEAKLY_BINARY',
        message: expect.stringMatching(
          new RegExp(
            `no native binary for ${process.platform}-${process.arch}.*ABI ${process.versions.modules}.*/package/prebuilds/x.node, /elsewhere/x.node.*npx weakly build`,
          ),
        ),
      }),
    );
  }); // biome-ignore format: one line each

  it('that is missing from a bundle says so, and names the settings of bundlers', () => {
    expect(() => loadBinding(() => ({ ...none, isBundled: true }), () => ({}))).toThrow(
      expect.objectContaining({
        code: 'ERR_WEAKLY_BINARY',
        message: expect.stringMatching(/part of a bundle.*--external:weakly.*serverExternalPackages.*prebuilds beside/),
      }),
    );
    expect(() => loadBinding(() => ({ ...none, isBundled: true }), () => ({}))).not.toThrow(/compiler/);
  }); // biome-ignore format: one line each

  it('that does not load is named, with the reason as cause', () => {
    const cause = new Error('wrong ELF class');
    const broken = (): never => {
      throw cause;
    };
    expect(() => loadBinding(() => ({ ...none, path: '/package/prebuilds/x.node' }), broken)).toThrow(
      expect.objectContaining({
        code: 'ERR_WEAKLY_BINARY',
        message: expect.stringContaining('/package/prebuilds/x.node'),
        cause,
      }),
    );
  });

  const script =
    "import(process.argv[1]).then(() => 'loaded', (error) => error).then((end) => console.log(end.code, end.message ?? end))";
  const library = new URL('../dist/index.js', import.meta.url);
  const root = fileURLToPath(new URL('..', import.meta.url));
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  const readable = ['dist/*', 'node_modules/*', 'package.json'].map((path) => `--allow-fs-read=${root}${path}`);
  // Node.js looks for one in each directory above.
  for (let dir = dirname(root); dir !== dirname(dir); dir = dirname(dir))
    readable.push(`--allow-fs-read=${join(dir, 'package.json')}`);
  readable.push('--allow-fs-read=/package.json');

  /** Sanitizers have a binary of theirs, somewhere else. */
  const env = { ...process.env, WEAKLY_BINARY: '' };

  it.each<[string, string[], RegExp]>([
    ['--no-addons', ['--no-addons'], /^ERR_WEAKLY_BINARY .*--no-addons allows none/],
    [
      'no --allow-addons',
      [permission, '--allow-fs-read=*'],
      /^ERR_WEAKLY_BINARY .*\(--\S*permission\).*Add --allow-addons/,
    ],
    [
      'no --allow-fs-read of the binaries',
      [permission, '--allow-addons', ...readable],
      /^ERR_WEAKLY_BINARY .* Add --allow-fs-read=\S*prebuilds\S* to/,
    ],
  ])('that Node.js does not load for %s is no case for a compiler: the option is named', (_what, flags, right) => {
    const said = execFileSync(process.execPath, ['--no-warnings', ...flags, '-e', script, library.href], {
      encoding: 'utf8',
      env,
    });
    expect(said).toMatch(right);
    expect(said).not.toContain('compiler');
  });

  it('is loaded under the permission model with what the errors ask for', () => {
    const flags = [permission, '--allow-addons', `--allow-fs-read=${root}prebuilds/*`];
    const said = execFileSync(process.execPath, ['--no-warnings', ...flags, ...readable, '-e', script, library.href], {
      encoding: 'utf8',
      env,
    });
    expect(said).toBe('undefined loaded\n');
  });

  it('is the one that WEAKLY_BINARY names, and no other', () => {
    const before = process.env.WEAKLY_BINARY;
    process.env.WEAKLY_BINARY = '/nowhere/x.node';
    try {
      expect(locate()).toEqual({ path: '/nowhere/x.node', tried: ['/nowhere/x.node'], isBundled: false });
    } finally {
      if (before === undefined) delete process.env.WEAKLY_BINARY;
      else process.env.WEAKLY_BINARY = before;
    }
    const said = execFileSync(process.execPath, ['--no-warnings', '-e', script, library.href], {
      encoding: 'utf8',
      env: { ...env, WEAKLY_BINARY: '/nowhere/x.node' },
    });
    expect(said).toMatch(/^ERR_WEAKLY_BINARY .*\/nowhere\/x.node does not load/);
  });

  it('is never looked for in the working directory', () => {
    const { tried } = locate();
    expect(tried.length).toBeGreaterThan(0);
    expect(tried.every((path) => path.startsWith(root) || process.env.WEAKLY_BINARY === path)).toBe(true);
  });

  it('has named functions that cannot be constructed', () => {
    expect(binding.keepAlive.name).toBe('keepAlive');
    expect(binding.keepAlive.length).toBe(1);
    expect(() => Reflect.construct(binding.keepAlive, [])).toThrow(TypeError);
  });
});

describe('other runtimes', () => {
  it.each([
    ['Bun', { node: '24.3.0', bun: '1.3.0' }],
    ['Deno', { node: '24.3.0', deno: '2.5.0' }],
  ])('%s gets ERR_WEAKLY_RUNTIME', (name, versions) => {
    expect(() => assertRuntime(versions, false)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_RUNTIME', message: expect.stringContaining(name) }),
    );
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['Electron', { node: '22.9.0', electron: '33.0.0' }, false],
    ['sandbox', { node: '24.0.0' }, true],
    ['Node.js 18.20.4 is too old', { node: '18.20.4' }, false],
    ['Node.js 20.18.3 is too old', { node: '20.18.3' }, false],
  ])('%s gets it before anything is loaded', (name, versions, hasSandbox) => {
    expect(() => assertRuntime(versions, hasSandbox)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_RUNTIME', message: expect.stringContaining(name) }),
    );
  });

  it.each(['20.19.0', '22.12.0', '25.1.0', '26.0.0'])('Node.js %s passes', (node) => {
    expect(() => assertRuntime({ node }, false)).not.toThrow();
  });

  it('the one that runs this passes', () => {
    expect(() => assertRuntime(process.versions, false)).not.toThrow();
  });
});
