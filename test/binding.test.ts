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
