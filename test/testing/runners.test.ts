import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * weakly/testing as a user has it: a project of its own with weakly among its dependencies, and a test runner that is
 * started with no flag. One of its tests has to fail: an assertion that cannot is none.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');
let project: string;

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'weakly-runners-')));
  cpSync(fileURLToPath(new URL('fixtures', import.meta.url)), project, { recursive: true });
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules', 'weakly'), 'dir');
  symlinkSync(join(modules, 'vitest'), join(project, 'node_modules', 'vitest'), 'dir');
  writeFileSync(join(project, 'package.json'), '{ "name": "project" }\n');
});

afterAll(() => rmSync(project, { recursive: true }));

/** Neither this runner nor the flags of a stress run may show through to the other. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST|JEST_|TEST$|FORCE_COLOR)/.test(name)),
);

function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { cwd: project, env: { ...env, NO_COLOR: '1', CI: 'true' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

const JEST = [join(modules, 'jest', 'bin', 'jest.js'), '--testMatch', '**/jest.test.cjs', '--no-watchman'];
const LEAKS = [JEST[0] as string, '--testMatch', '**/leaks.test.cjs', '--no-watchman', '--runInBand', '--detectLeaks'];
const VITEST = [join(modules, 'vitest', 'vitest.mjs'), 'run', '--root', '.', '--reporter=verbose', 'vitest.test.mjs'];

describe('jest --detectLeaks', () => {
  it('finds no leak in a test file that registers cleanups and finalizers', async () => {
    const { code, output } = await run(...LEAKS);
    expect(output).toContain('Tests:       3 passed, 3 total');
    expect(code).toBe(0);
  });
});

describe('weakly/testing works with no flag', () => {
  it.each([
    ['in jest', 'in a process', [...JEST, '--runInBand'], 'Tests:       1 failed, 3 passed, 4 total'],
    ['in vitest', 'in forks', [...VITEST, '--pool=forks'], 'Tests  1 failed | 3 passed (4)'],
    ['in vitest', 'in threads', [...VITEST, '--pool=threads'], 'Tests  1 failed | 3 passed (4)'],
  ])('%s, %s', async (_runner, _how, args, summary) => {
    const { code, output } = await run(...args);
    expect(output).toContain(summary);
    expect(output).toMatch(/expected the target to be collected, but .* after 100 ms: something holds it/);
    expect(code).toBe(1);
  });

  it('in node --test', async () => {
    const { code, output } = await run('--test', '--test-reporter=tap', 'node.test.mjs');
    expect(output).toMatch(/# pass 3\n# fail 1\n/);
    expect(output).toContain('ERR_WEAKLY_NOT_COLLECTED');
    expect(code).toBe(1);
  });
});
