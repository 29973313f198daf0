import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/*
 * What can abort a process runs in a process of its own. A child says things as lines of JSON on descriptor 1, written
 * synchronously so that no way of ending loses them; the native module says on descriptor 3 that an environment has
 * closed, when there is no JavaScript left in it that could.
 */

/** One line of a child; which keys it has is between a fixture and its test. */
export type Said = Readonly<Record<string, unknown>>;

export interface Closed {
  readonly closed: true;
  /** Weak handles that were not reset. */
  readonly handles: number;
  /** Native memory that was not freed. */
  readonly bytes: number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: readonly Said[];
  readonly closed: readonly Closed[];
  readonly stderr: string;
  readonly ms: number;
}

/** Flags that say how Node.js keeps asynchronous contexts: in V8, or in the resources of async_hooks. It does one of them unasked. */
export const CONTEXT_FLAGS = ['--experimental-async-context-frame', '--no-async-context-frame'].filter((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

export interface RunOptions {
  readonly flags?: readonly string[];
  /** Sees every line as it comes; what it returns is written to the child's standard input, which is then closed. */
  readonly onSaid?: (said: Said) => string | undefined;
}

const fixtures = new URL('fixtures/', import.meta.url);

if (!existsSync(new URL('../../dist/index.js', import.meta.url))) {
  throw new Error('dist/index.js is missing: run "npm run build:ts" first');
}

/** The collector's flags of this very process go on to the children, so that a stress run stresses them as well. */
const inherited = process.execArgv.filter((flag) =>
  /^--(expose[-_]gc|stress|gc[-_]|random[-_]gc|max[-_]semi|single[-_]threaded|minor[-_]m|scavenger?[-_]|verify[-_]heap)/.test(
    flag,
  ),
);

/** Far above what any child needs, also under a sanitizer or a stress flag; below the timeout of a test. */
const KILL_AFTER_MS = 50_000;

export function run(fixture: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
  const began = performance.now();
  const flags = new Set([...inherited, '--expose-gc', ...(options.flags ?? [])]);
  const child = spawn(process.execPath, [...flags, fileURLToPath(new URL(fixture, fixtures)), ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    // A child that hangs is killed, and its test fails by the signal it reports.
    timeout: KILL_AFTER_MS,
    killSignal: 'SIGKILL',
  });
  const said: Said[] = [];
  const closed: Closed[] = [];
  let stderr = '';
  lines(child.stdout, (line) => {
    const value = JSON.parse(line) as Said;
    said.push(value);
    const answer = options.onSaid?.(value);
    if (answer !== undefined) child.stdin?.end(answer);
  });
  lines(child.stdio[3] as NodeJS.ReadableStream, (line) => closed.push(JSON.parse(line) as Closed));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {}); // the child may be gone before it reads
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, said, closed, stderr, ms: performance.now() - began }));
  });
}

function lines(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) take(part);
  });
}

/** The child ended by itself with `code`, said nothing on stderr, and as many environments closed, all of them empty. */
export function expectEnd(ended: Ended, code: number, closed: number): void {
  expect({ code: ended.code, signal: ended.signal, stderr: ended.stderr, closed: ended.closed }).toEqual({
    code,
    signal: null,
    stderr: '',
    closed: Array.from({ length: closed }, () => ({ closed: true, handles: 0, bytes: 0 })),
  });
}

/** All lines of a child in one object: fixtures use a key once. */
export function facts(ended: Ended): Said {
  return Object.assign({}, ...ended.said) as Said;
}
