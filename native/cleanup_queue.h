// Registrations of what is to be called when a target dies, and those that are due, in their order.
//
// Each registration is a cell of its own, whatever its target has besides: registering needs neither the target's identity
// hash nor a search, which is most of what a slot costs. What that leaves to be done is the order. Due are
//   - the deaths of an earlier GC before those of a later one,
//   - the deaths of one GC as they were registered. That is more than is promised (one target's registrations), but who
//     shares a target is nowhere known.
// So each cell has a place in the order of registration. Cells are found dead in the order of their numbers, which is
// mostly that of registration: what is found makes a few ascending runs, and a heap over their heads gives the next one.
//
// A group is what one GC has killed. The last one is open while the search for its dead goes on.

#ifndef WEAKLY_CLEANUP_QUEUE_H_
#define WEAKLY_CLEANUP_QUEUE_H_

#include <v8.h>

#include <cstdint>

#include "cell_table.h"
#include "memory.h"

namespace weakly {

class CleanupQueue {
 public:
  static constexpr uint32_t kBatch = 512;
  static constexpr uint32_t kNone = CellTable::kNone;

  explicit CleanupQueue(Memory& memory) : memory_(memory), cells_(memory), groups_(memory), runs_(memory) {}
  ~CleanupQueue();
  CleanupQueue(const CleanupQueue&) = delete;
  CleanupQueue& operator=(const CleanupQueue&) = delete;

  // Once, before anything else; false when memory was refused.
  bool Init();

  // A cell for one more registration; kNone: it has to grow first.
  uint32_t Register(v8::Isolate* isolate, v8::Local<v8::Value> target);

  // GC epilogue only; whether anything died.
  bool OnGc(bool all);
  // Finds all deaths that a GC has left to find: in the prologue of the next, and for counts that must be exact.
  void Finish();

  // Fills the batch with registrations of one GC's deaths, the oldest; returns its length, 0 when nothing is due, -1 when
  // the search goes on. A batch that was not given back is returned as it is.
  int32_t Take();
  // Frees the cells of the batch.
  void Release();
  // A copy, for JavaScript: what it may have written there is not what is released.
  uint32_t* shared_batch() { return shared_batch_; }

  // What JavaScript reads without a call. Times are nanoseconds of uv_hrtime().
  enum Shared { kBatchTime, kDeaths, kOldestTime, kSharedSize };
  double* shared() { return shared_; }

  CellTable& cells() { return cells_; }
  const CellTable& cells() const { return cells_; }

  const char* Verify() const;
  // For tests: what the next registration's place is.
  void SetNextPlace(uint32_t place) { next_place_ = place; }

 private:
  // Dead cells whose places ascend, linked.
  struct Run {
    uint32_t place;  // of the head
    uint32_t head;
    uint32_t tail;
  };
  // The deaths of one GC. Its runs come after those of the groups before it; `spent` ones, of which nothing is left, after
  // the others. Deaths for which memory for one more run was refused are linked from `rest`, and sorted when it is their turn:
  // a GC callback cannot wait for that.
  struct Group {
    double time;
    uint32_t deaths;
    uint32_t runs;
    uint32_t spent;
    uint32_t rest;
    bool heaped;
    bool rest_sorted;
  };

  void AddGroup();
  void Add(CellList* found);
  void Add(uint32_t cell);
  uint32_t Sorted(uint32_t list);
  uint32_t Merged(uint32_t a, uint32_t b);
  bool DropEmptyGroups();
  uint32_t PopFirst();
  uint32_t PopRest(Group& group);
  void SiftDown(uint32_t i, uint32_t count);
  bool Renumber();

  uint32_t Next(uint32_t cell) const { return static_cast<uint32_t>(cells_.cell(cell).link); }

  Memory& memory_;
  CellTable cells_;
  Vector<Group> groups_;
  Vector<Run> runs_;
  uint32_t next_place_ = 0;
  uint32_t batch_[kBatch];
  uint32_t taken_ = 0;
  uint32_t* shared_batch_ = nullptr;
  double* shared_ = nullptr;
};

}  // namespace weakly

#endif  // WEAKLY_CLEANUP_QUEUE_H_
