import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/* Runs the examples as their readers run them: plain node, no flags, the package by its name. */

if (!existsSync(new URL('../../dist/testing/index.js', import.meta.url))) {
  throw new Error('dist/ is missing: run "npm run build:ts" first');
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `name`: its path within examples/, without the extension. */
function urlOf(name: string): URL {
  return new URL(`../../examples/${name}.mjs`, import.meta.url);
}

/** `preload`: the text of a module that is imported before. */
export function example(name: string, preload?: string): Promise<Ended> {
  const flags = preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  const child = spawn(process.execPath, [...flags, fileURLToPath(urlOf(name))], {
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Ended by itself, said nothing on stderr, and printed these lines. */
export function expectLines(ended: Ended, lines: readonly string[]): void {
  expect(ended).toEqual({ code: 0, signal: null, stderr: '', stdout: `${lines.join('\n')}\n` });
}

/** What an example imports beyond what Node.js brings, in the order of its lines. */
export function packagesOf(name: string): string[] {
  const specifiers = [...readFileSync(urlOf(name), 'utf8').matchAll(/from '([^']+)'/g)].map((match) =>
    String(match[1]),
  );
  return specifiers.filter((specifier) => !specifier.startsWith('node:'));
}
