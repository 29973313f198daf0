// node examples/collections/image-cache.mjs
//
// A cache of decoded images with room for two. It never decodes twice what somebody is still using, even if that has had
// to make room for others; what nobody uses goes. Whoever asks while an image is being decoded waits for that one.

import { setTimeout } from 'node:timers/promises';
import { WeakCache } from 'weakly/collections';
import { gcUntil } from 'weakly/testing';

class Image {
  constructor(name) {
    this.name = name;
    this.pixels = new Uint8Array(64 * 1024);
  }
}

let decoded = 0;

/** Takes its time. The signal is aborted when all who were waiting for the image have given up. */
async function decode(name, { signal }) {
  await setTimeout(5, undefined, { signal });
  decoded++;
  return new Image(name);
}

const cache = new WeakCache({ max: 2 });
const imageOf = (name, options) => cache.fetch(name, decode, options);

/** Uses an image as long as it shows it. */
class Page {
  async show(name) {
    this.image = await imageOf(name);
  }
}

/** Looks at images, and lets them go. In a function of its own: a local variable of the module would be kept. */
async function browse(...names) {
  for (const name of names) await imageOf(name);
}

/** `outside`: how many images are in use that the cache has had to give up. */
async function report(what, outside) {
  // A server would go on serving, and the collector would come by itself.
  await gcUntil(() => {
    const { strong, weak, deaths } = cache.stats();
    return weak === outside && strong + weak + deaths === decoded;
  });
  const { strong, weak, hitsStrong, hitsWeak, coalesced, misses, deaths } = cache.stats();
  console.log(`${what}: ${decoded} decoded so far`);
  console.log(`  ${strong} held by the cache, ${weak} by their users only, ${deaths} gone`);
  console.log(
    `  asked for: ${hitsStrong} found in the cache, ${hitsWeak} with their users, ${coalesced} while being decoded, ${misses} not found`,
  );
}

const pages = [new Page(), new Page(), new Page()];
await Promise.all(pages.map((page) => page.show('logo')));
await report('three pages show the logo at once', 0);

// The second has the logo leave the cache, the third the cat. The cat is not in use.
await browse('cat', 'dog', 'dog', 'fox');
await report('three more images have been looked at', 1);

const fourth = new Page();
await fourth.show('logo');
console.log(`a fourth page shows the logo, and gets the very same image: ${fourth.image === pages[0].image}`);
await report('it is in the cache again, in place of the dog', 0);

await browse('cat');
await report('the cat has to be decoded again', 0);

const scrolling = new AbortController();
const elephant = imageOf('elephant', { signal: scrolling.signal });
scrolling.abort(new Error('scrolled past'));
await elephant.catch((error) => console.log(`nobody waits for the elephant any more: ${error.message}`));
await report('so it was not decoded', 0);
