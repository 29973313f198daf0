// node examples/cleanups/release-native-buffers.mjs
//
// Memory that V8's collector does not manage: blocks in the linear memory of WebAssembly, as a C library would hand them
// out. A JavaScript object owns each block; when it dies, the block goes back to the heap it came from.

import { addCleanup, queue } from 'weakly';
import { gcUntil } from 'weakly/testing';

const KIB = 1024;

/** Stands for the library's malloc and free: blocks of one size, in memory that only grows. */
class NativeHeap {
  static BLOCK = 64 * KIB; // one page of WebAssembly
  #memory = new WebAssembly.Memory({ initial: 0, maximum: 256 });
  #free = [];
  inUse = 0;

  allocate() {
    this.inUse++;
    return this.#free.pop() ?? this.#memory.grow(1) * NativeHeap.BLOCK;
  }

  release(address) {
    this.inUse--;
    this.#free.push(address);
  }

  bytes(address) {
    return new Uint8Array(this.#memory.buffer, address, NativeHeap.BLOCK);
  }

  get size() {
    return this.#memory.buffer.byteLength;
  }
}

const heap = new NativeHeap();
// Made once, outside of the class: a function inside the constructor could close over the image.
const releaseBlock = (address) => heap.release(address);

class Image {
  #address = heap.allocate();
  #cleanup = addCleanup(this, releaseBlock, this.#address);

  fill(colour) {
    heap.bytes(this.#address).fill(colour);
    return this;
  }

  /** Gives the block back now. The cleanup is for those who never call this. */
  dispose() {
    if (this.#cleanup.stop()) heap.release(this.#address);
  }
}

/** Draws ten images, and drops them all. Every fifth is disposed of as it should be. */
function drawTen() {
  for (let i = 0; i < 10; i++) {
    const image = new Image().fill(i);
    if (i % 5 === 0) image.dispose();
  }
}

for (let round = 1; round <= 10; round++) {
  drawTen();
  const dropped = heap.inUse;
  // A server would go on serving, and the collector would come by itself.
  await gcUntil(() => heap.inUse === 0);
  if (round <= 2 || round === 10)
    console.log(`round ${round}: 10 images drawn, ${dropped} blocks left behind, ${heap.inUse} after the cleanups`);
}

const { run, stopped } = queue.stats();
console.log(`100 images of ${NativeHeap.BLOCK / KIB} KiB have passed through ${heap.size / KIB} KiB of native memory`);
console.log(`${stopped} were disposed of by hand, ${run} by their cleanups`);
