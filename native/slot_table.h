// Weak slots: cells found again by their target. What pointers are made of; there is one for each target.
//
// A dead slot stays in the index until the queue drains it. `make` must not find it, and need not: its word is no handle.

#ifndef WEAKLY_SLOT_TABLE_H_
#define WEAKLY_SLOT_TABLE_H_

#include <v8.h>

#include <cstdint>

#include "cell_table.h"
#include "guesses.h"
#include "identity_index.h"
#include "memory.h"
#include "side_table.h"

namespace weakly {

class SlotTable {
 public:
  static constexpr uint32_t kNone = CellTable::kNone;

  explicit SlotTable(Memory& memory) : cells_(memory), index_(memory, *this), next_(memory), guesses_(memory, cells_) {}
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  bool Init() { return index_.Init() && guesses_.Init(); }

  // The slot of `target` if that is found without its identity hash, kNone if not. What is no target is not found.
  uint32_t Guess(v8::Local<v8::Value> target) const { return guesses_.Find(target); }

  // The slot of `target`, made if there is none. kNone: release dead ones, or if there are none grow, then ask again.
  uint32_t Acquire(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t hash);

  // As CellTable's.
  bool Reserve();
  uint32_t GiveBack();

  // A dead slot that JavaScript has let go of: leaves the index, becomes free or retires.
  void Release(uint32_t slot);

  // What IdentityIndex asks of its store.
  uint32_t hash(uint32_t slot) const { return cells_.cell(slot).key; }
  uint32_t& next(uint32_t slot) { return next_[slot]; }

  CellTable& cells() { return cells_; }
  const CellTable& cells() const { return cells_; }
  uint32_t buckets() const { return index_.buckets(); }

  // nullptr if every invariant holds, else which one is broken. For tests: walks everything.
  const char* Verify(const CellList& dead, uint32_t taken) const;

 private:
  bool ShouldReclaimFirst();

  CellTable cells_;
  IdentityIndex<SlotTable> index_;
  // The links of the index.
  SideTable<uint32_t, CellTable::kChunkShift> next_;
  uint32_t acquired_ = 0;
  Guesses guesses_;
};

}  // namespace weakly

#endif  // WEAKLY_SLOT_TABLE_H_
