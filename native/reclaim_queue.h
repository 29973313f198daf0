// Dead slots on their way to the event loop.
//
// A GC epilogue may run no JavaScript and allocate nothing on V8's heap, so it only appends dead slots to a list and
// wakes the loop, once per GC that found any. JavaScript then takes them in batches, lets go of what it holds for each,
// and gives the batch back. A batch that was taken and not given back (an exception in between) is handed out again.

#ifndef WEAKLY_RECLAIM_QUEUE_H_
#define WEAKLY_RECLAIM_QUEUE_H_

#include <uv.h>

#include <cstdint>

#include "slot_table.h"

namespace weakly {

class ReclaimQueue {
 public:
  static constexpr uint32_t kBatch = 512;
  // GCs whose deaths are told apart by their time while they wait. If more wait, the last of them counts for all.
  static constexpr uint32_t kGroups = 64;

  using WakeCallback = void (*)(uv_async_t*);

  ReclaimQueue(Memory& memory, SlotTable& slots) : memory_(memory), slots_(slots) {}
  ~ReclaimQueue();
  ReclaimQueue(const ReclaimQueue&) = delete;
  ReclaimQueue& operator=(const ReclaimQueue&) = delete;

  // False when memory or the handle was refused. `data` is what `wake` finds in its handle.
  bool Init(uv_loop_t* loop, WakeCallback wake, void* data);

  // After Init(): asynchronous, `closed` runs from the event loop. No wake-up comes after this call.
  void Close(uv_close_cb closed);

  // GC prologue: the deaths of earlier GCs come first, so they must have been found.
  void BeforeGc() { Finish(); }
  // GC epilogue only.
  void OnGc(bool major);
  // Finds all deaths that a GC has left to find. For counts that must be exact, too.
  void Finish();

  void Wake();

  // Fills the batch with deaths of one GC, the oldest; returns its length, 0 when nothing is dead, -1 when nothing was
  // found yet and the search goes on. A batch that was not given back is returned as it is.
  int32_t Take();
  // Frees the slots of the batch.
  void Release();
  uint32_t* batch() { return batch_; }
  // When the deaths of the batch were found: one number, nanoseconds of uv_hrtime().
  double* batch_time() { return batch_time_; }
  // The same of the oldest death that is not in the batch; 0 if there is none.
  double OldestTime() const { return first_group_ == end_group_ ? 0 : groups_[first_group_ % kGroups].time; }

  // Whether the process may end while wake-ups are due: not while somebody waits for them.
  void Hold(bool hold);

  // Dead slots that have not been given back.
  uint32_t pending() const { return dead_.size + taken_; }
  uint32_t taken() const { return taken_; }
  const SlotList& dead() const { return dead_; }
  uint64_t deaths() const { return deaths_; }
  uint64_t wakeups() const { return wakeups_; }

 private:
  // The deaths of one GC: those before `until`, counted from the start, that no earlier group has.
  struct Group {
    double time;
    uint64_t until;
  };
  static constexpr uint64_t kOpen = ~uint64_t{0};

  void Count(uint32_t before);
  void CloseEmptyGroups();

  Memory& memory_;
  SlotTable& slots_;
  SlotList dead_;
  Group groups_[kGroups] = {};
  uint64_t first_group_ = 0;
  uint64_t end_group_ = 0;
  uint64_t taken_total_ = 0;
  double* batch_time_ = nullptr;
  uint32_t* batch_ = nullptr;
  uint32_t taken_ = 0;
  bool open_ = false;
  uint64_t deaths_ = 0;
  uint64_t wakeups_ = 0;
  uv_async_t async_{};
};

}  // namespace weakly

#endif  // WEAKLY_RECLAIM_QUEUE_H_
