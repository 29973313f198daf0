// Dead slots on their way to the event loop, and what wakes it.
//
// A GC epilogue may run no JavaScript and allocate nothing on V8's heap, so it only appends dead slots to a list. JavaScript
// then takes them in batches, lets go of what it holds for each, and gives the batch back. A batch that was taken and not
// given back (an exception in between) is handed out again.

#ifndef WEAKLY_RECLAIM_QUEUE_H_
#define WEAKLY_RECLAIM_QUEUE_H_

#include <uv.h>

#include <cstdint>

#include "slot_table.h"

namespace weakly {

class ReclaimQueue {
 public:
  static constexpr uint32_t kBatch = 512;

  using WakeCallback = void (*)(uv_async_t*);

  ReclaimQueue(Memory& memory, SlotTable& slots) : memory_(memory), slots_(slots) {}
  ~ReclaimQueue();
  ReclaimQueue(const ReclaimQueue&) = delete;
  ReclaimQueue& operator=(const ReclaimQueue&) = delete;

  // False when memory or the handle was refused. `data` is what `wake` finds in its handle.
  bool Init(uv_loop_t* loop, WakeCallback wake, void* data);

  // After Init(): asynchronous, `closed` runs from the event loop. No wake-up comes after this call.
  void Close(uv_close_cb closed);

  // GC epilogue only; whether anything died.
  bool OnGc(bool all);
  // Finds all deaths that a GC has left to find: in the prologue of the next, and for counts that must be exact.
  void Finish();

  void Wake();
  // Whether anything keeps the event loop going.
  bool LoopIsAlive() const { return open_ && uv_loop_alive(async_.loop) != 0; }

  // Fills the batch; returns its length, 0 when nothing is dead, -1 when that is to be asked again: a search has found
  // nothing so far. A batch that was not given back is returned as it is.
  int32_t Take();
  // Frees the slots of the batch.
  void Release();
  // A copy, for JavaScript: what it may have written there is not what is released.
  uint32_t* shared() { return shared_; }

  // Whether the process may end while wake-ups are due: not while somebody waits for them.
  void Hold(bool hold);

  // Dead slots that have not been given back.
  uint32_t pending() const { return dead_.size + taken_; }
  uint64_t deaths() const { return deaths_; }
  uint64_t wakeups() const { return wakeups_; }
  const char* Verify() const { return slots_.Verify(dead_, taken_); }

 private:
  Memory& memory_;
  SlotTable& slots_;
  CellList dead_;
  uint64_t deaths_ = 0;
  uint64_t wakeups_ = 0;
  uint32_t batch_[kBatch];
  uint32_t taken_ = 0;
  uint32_t* shared_ = nullptr;
  uv_async_t async_{};
  bool open_ = false;
};

}  // namespace weakly

#endif  // WEAKLY_RECLAIM_QUEUE_H_
