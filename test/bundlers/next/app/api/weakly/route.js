import { make } from 'weakly';
import { WeakCache } from 'weakly/collections';

const cache = new WeakCache({ max: 10, loader: async (id) => ({ id }) });

export const dynamic = 'force-dynamic';

export async function GET() {
  const value = await cache.fetch('a');
  return new Response(`works ${make(value).alive} ${cache.stats().loads}\n`);
}
