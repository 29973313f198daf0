import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assertRuntime, binding, loadBinding } from '../lib/binding.js';

describe('the binary', () => {
  it('is looked for under the package root', () => {
    const loaded = loadBinding(
      '/some/root',
      (root) => `${root}/x.node`,
      (path) => ({ open: () => ({ path }) }),
    );
    expect(loaded).toEqual({ path: '/some/root/x.node' });
  });

  it('that is missing gives ERR_WEAKLY_BINARY with platform, ABI and what to do', () => {
    const cause = new Error('No native build was found');
    const missing = (): never => {
      throw cause;
    };
    expect(() => loadBinding('/package', missing, () => ({}))).toThrow(
      expect.objectContaining({
        code: 'ERR_WEAKLY_BINARY',
        message: expect.stringMatching(
          new RegExp(
            `no native binary for ${process.platform}-${process.arch}.*ABI ${process.versions.modules}.*npm rebuild`,
          ),
        ),
        cause,
      }),
    );
  });

  it('that does not load is named, with the reason as cause', () => {
    const cause = new Error('wrong ELF class');
    const broken = (): never => {
      throw cause;
    };
    expect(() => loadBinding('/package', () => '/package/prebuilds/x.node', broken)).toThrow(
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
  const env = { ...process.env, WEAKLY_PREBUILD: '' };

  it.each<[string, string[], RegExp]>([
    ['--no-addons', ['--no-addons'], /^ERR_WEAKLY_BINARY .*--no-addons allows none/],
    [
      'no --allow-addons',
      [permission, '--allow-fs-read=*'],
      /^ERR_WEAKLY_BINARY .*\(--\S*permission\).*Add --allow-addons/,
    ],
    [
      'no --allow-fs-read of the binaries',
      [permission, '--allow-addons', ...readable, '--allow-fs-read=/etc/alpine-release'],
      /^ERR_WEAKLY_BINARY .* Add --allow-fs-read=\S*prebuilds\S* to/,
    ],
    [
      'no --allow-fs-read of what else is looked at',
      [permission, '--allow-addons', ...readable, `--allow-fs-read=${root}prebuilds/*`],
      /^ERR_WEAKLY_BINARY .* Add --allow-fs-read=\/etc\/alpine-release to/,
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
    const flags = [permission, '--allow-addons', `--allow-fs-read=${root}*`, '--allow-fs-read=/etc/alpine-release'];
    const said = execFileSync(process.execPath, ['--no-warnings', ...flags, ...readable, '-e', script, library.href], {
      encoding: 'utf8',
      env,
    });
    expect(said).toBe('undefined loaded\n');
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
    expect(() => assertRuntime(versions)).toThrow(
      expect.objectContaining({ code: 'ERR_WEAKLY_RUNTIME', message: expect.stringContaining(name) }),
    );
  });

  it('Node.js passes', () => {
    expect(() => assertRuntime(process.versions)).not.toThrow();
  });
});
