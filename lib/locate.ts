import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/*
 * Where the native binary is. In a project that runs as it is installed, that is beside this module. Bundlers move this module, and
 * each copies what it understands of the ways to name a file; so it is named in the three ways that one of them each understands,
 * and looked for where people put it by hand. Tried on all of them by scripts/test-bundlers.mjs.
 *
 *   a literal `new URL(..., import.meta.url)`      ncc, which puts a path in the place of the whole expression
 *   one with the platform in a template            webpack (a file beside the bundle), nft and with it Next.js, Vercel, serverless
 *   beside the bundle, and in `node_modules`       esbuild, rollup, rolldown, tsup: they copy nothing
 *   an asset                                       a single-executable application
 */

const { platform, arch, versions } = process;
const target = `${platform}-${arch}`;
const file = `weakly.abi${versions.modules}.node`;

/** This module, wherever it is now. esbuild leaves `import.meta.url` undefined where it makes CommonJS of it. */
function self(): string | undefined {
  // Not `import.meta` by itself: of that ncc makes nothing, where it makes CommonJS.
  const url = (import.meta as { url?: string }).url;
  if (url !== undefined) return url;
  return typeof __filename === 'string' ? pathToFileURL(__filename).href : undefined;
}

/** What ncc has put in the place of a URL is a path; what the webpack of Next.js has put there is of a server, and of no use. */
function pathOf(url: URL | string): string | undefined {
  if (typeof url === 'string') return url;
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

/** Each written out: what is computed ncc does not see. */
function literal(): URL | undefined {
  switch (`${target} ${versions.modules}`) {
    case 'linux-x64 115':
      return new URL('../prebuilds/linux-x64/weakly.abi115.node', import.meta.url);
    case 'linux-x64 127':
      return new URL('../prebuilds/linux-x64/weakly.abi127.node', import.meta.url);
    case 'linux-x64 137':
      return new URL('../prebuilds/linux-x64/weakly.abi137.node', import.meta.url);
    case 'linux-x64 147':
      return new URL('../prebuilds/linux-x64/weakly.abi147.node', import.meta.url);
    case 'linux-arm64 115':
      return new URL('../prebuilds/linux-arm64/weakly.abi115.node', import.meta.url);
    case 'linux-arm64 127':
      return new URL('../prebuilds/linux-arm64/weakly.abi127.node', import.meta.url);
    case 'linux-arm64 137':
      return new URL('../prebuilds/linux-arm64/weakly.abi137.node', import.meta.url);
    case 'linux-arm64 147':
      return new URL('../prebuilds/linux-arm64/weakly.abi147.node', import.meta.url);
    default:
      return undefined;
  }
}

/** From `from`, as `require('weakly')` would find the package. */
function installedFor(from: string | undefined): string | undefined {
  if (from === undefined) return undefined;
  try {
    return join(dirname(createRequire(from).resolve('weakly/package.json')), 'prebuilds', target, file);
  } catch {
    return undefined; // not there, or no path that a module could be at
  }
}

/**
 * In this order. The working directory is none of them: who starts a program in a directory of somebody else's must not run that one's
 * native code.
 */
function* places(): Generator<string | undefined> {
  const here = self();
  if ((import.meta as { url?: string }).url !== undefined) {
    const named = literal();
    if (named !== undefined) yield pathOf(named);
    yield pathOf(
      new URL(
        `../prebuilds/${process.platform}-${process.arch}/weakly.abi${process.versions.modules}.node`,
        import.meta.url,
      ),
    );
  }
  if (here !== undefined) {
    const beside = dirname(fileURLToPath(here));
    yield join(beside, 'prebuilds', target, file);
    yield join(beside, file);
    yield installedFor(here);
  }
  const [, main] = process.argv;
  // An application that is one executable has its own name twice.
  if (main !== undefined && main !== process.execPath) yield installedFor(main);
  yield asset();
  yield join(dirname(process.execPath), 'prebuilds', target, file);
}

/** Of a single-executable application, under the name of the file: an addon has to be a file to be loaded. */
function asset(): string | undefined {
  const sea = process.getBuiltinModule?.('node:sea');
  if (sea === undefined || !sea.isSea() || typeof sea.getRawAsset !== 'function') return undefined;
  let bytes: ArrayBuffer;
  try {
    bytes = sea.getRawAsset(file) as ArrayBuffer;
  } catch {
    return undefined; // there is none of that name
  }
  const dir = mkdtempSync(join(process.getBuiltinModule('node:os').tmpdir(), 'weakly-'));
  unpacked = dir;
  const path = join(dir, file);
  writeFileSync(path, new Uint8Array(bytes), { mode: 0o500 });
  return path;
}

let unpacked: string | undefined;

/** What was unpacked has been loaded, or is of no use. Where a library that is loaded cannot be removed (Windows), it stays. */
export function forgetUnpacked(): void {
  if (unpacked === undefined) return;
  try {
    rmSync(unpacked, { recursive: true });
  } catch {}
  unpacked = undefined;
}

/** Whether this module is part of a package that lies as it was installed, and not of a bundle. */
function isInstalled(): boolean {
  const here = self();
  if (here === undefined) return false;
  try {
    const text = readFileSync(new URL('../package.json', here), 'utf8');
    return (JSON.parse(text) as { name?: unknown }).name === 'weakly';
  } catch {
    return false;
  }
}

export interface Located {
  /** Undefined: there is none. */
  readonly path: string | undefined;
  /** Where it was looked for. */
  readonly tried: readonly string[];
  /** None was found, and this is part of a bundle. */
  readonly isBundled: boolean;
}

export function locate(): Located {
  const named = process.env.WEAKLY_BINARY;
  // By who starts the program: that, and no other.
  if (named !== undefined && named !== '') return { path: named, tried: [named], isBundled: false };
  const tried: string[] = [];
  for (const place of places()) {
    if (place === undefined || tried.includes(place)) continue;
    tried[tried.length] = place;
    if (existsSync(place)) return { path: place, tried, isBundled: false };
  }
  return { path: undefined, tried, isBundled: !isInstalled() };
}
