import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

// Where node_modules is.
const root = dirname(dirname(fileURLToPath(import.meta.url)));

export default {
  output: 'standalone',
  outputFileTracingRoot: root,
  turbopack: { root },
  ...(process.env.EXTERNAL === '1' ? { serverExternalPackages: ['weakly'] } : {}),
};
