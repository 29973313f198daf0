// Weak slots: cells found again by their target. What pointers are made of; there is one for each target.
//
// A dead slot stays in the index until the queue drains it. `make` must not find it, and need not: its word is no handle.

#ifndef WEAKLY_SLOT_TABLE_H_
#define WEAKLY_SLOT_TABLE_H_

#include <v8.h>

#include <cstdint>

#include "cell_table.h"
#include "identity_index.h"
#include "memory.h"

namespace weakly {

class SlotTable {
 public:
  static constexpr uint32_t kNone = CellTable::kNone;

  explicit SlotTable(Memory& memory) : memory_(memory), cells_(memory), index_(memory, *this) {}
  ~SlotTable();
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  bool Init() { return index_.Init(); }

  // The slot of `target`, made if there is none. kNone: release dead ones, or if there are none grow, then ask again.
  uint32_t Acquire(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t hash);

  // As CellTable's.
  bool Reserve();

  // A dead slot that JavaScript has let go of: leaves the index, becomes free or retires.
  void Release(uint32_t slot);

  // What IdentityIndex asks of its store.
  uint32_t hash(uint32_t slot) const { return cells_.cell(slot).key; }
  uint32_t& next(uint32_t slot) { return next_[slot >> CellTable::kChunkShift][slot & (CellTable::kChunkSize - 1)]; }

  CellTable& cells() { return cells_; }
  const CellTable& cells() const { return cells_; }
  uint32_t buckets() const { return index_.buckets(); }

  // nullptr if every invariant holds, else which one is broken. For tests: walks everything.
  const char* Verify(const CellList& dead, uint32_t taken) const;

 private:
  bool ShouldReclaimFirst();

  Memory& memory_;
  CellTable cells_;
  IdentityIndex<SlotTable> index_;
  // For each chunk of cells the links of the index.
  uint32_t** next_ = nullptr;
  uint32_t next_count_ = 0;
  uint32_t next_capacity_ = 0;
  uint32_t acquired_ = 0;
};

}  // namespace weakly

#endif  // WEAKLY_SLOT_TABLE_H_
