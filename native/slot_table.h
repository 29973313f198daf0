// Weak slots: who is pointed to, and is it still there.
//
// A slot is an index into chunks of cells that never move, because V8 writes into them: a weak handle without a callback
// is cleared by the collector storing null into the Global itself. That is a quarter of the price of a weak callback; we
// then look for the nulls (CollectDead, Continue).
//
// The life of a slot:
//   free   generation even, word links the free list
//   live   generation odd,  word is the weak Global; null from the moment the collector found the target dead
//   dead   generation even, word links the reclaim queue; still in the identity index, JavaScript still holds a wrapper
//   (Release) -> free again, or retired for ever when its generations are used up
//
// JavaScript reads cells as an Int32Array, without a call: words 0 and 1 are the handle (both zero: the target is gone),
// word 2 is the generation. So a pointer tells the truth even about a death that no epilogue has seen yet: V8 skips the
// callbacks of a GC that starts inside another GC's callbacks.

#ifndef WEAKLY_SLOT_TABLE_H_
#define WEAKLY_SLOT_TABLE_H_

#include <v8.h>

#include <cstdint>

#include "identity_index.h"
#include "memory.h"

namespace weakly {

struct Cell {
  union {
    v8::Global<v8::Value> target;  // while live
    uint64_t link;                 // while dead or free
  };
  uint32_t generation;
  uint32_t hash;

  bool live() const { return (generation & 1) != 0; }

  Cell() = delete;  // cells are zeroed memory: null handle, generation 0, free
  ~Cell() = delete;
};
static_assert(sizeof(v8::Global<v8::Value>) == 8, "cells assume 64-bit handles");
static_assert(sizeof(Cell) == 16, "lib/weak/slots.ts reads cells as four words");

// A queue of dead slots, first in, first out, threaded through the cells: a GC callback must not need memory.
struct SlotList {
  uint32_t head = 0xFFFFFFFFu;
  uint32_t tail = 0xFFFFFFFFu;
  uint32_t size = 0;
};

class SlotTable {
 public:
  static constexpr uint32_t kChunkShift = 12;
  static constexpr uint32_t kChunkSize = 1u << kChunkShift;
  static constexpr uint32_t kNone = 0xFFFFFFFFu;
  // Slots and generations stay small integers in JavaScript on every build of V8.
  static constexpr uint32_t kMaxSlots = 1u << 28;
  static constexpr uint32_t kMaxGeneration = (1u << 30) - 1;

  explicit SlotTable(Memory& memory) : memory_(memory), index_(memory, *this), nursery_(memory), survivors_(memory) {}
  ~SlotTable();
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  bool Init() { return index_.Init(); }

  // The slot of `target`, made if there is none. kNone: release dead ones, or if there are none Grow(), then ask again.
  uint32_t Acquire(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t hash);

  // Adds a chunk. False: memory was refused or the limit is reached.
  bool Grow();
  void* ChunkMemory(uint32_t chunk) { return chunks_[chunk].cells; }
  uint32_t chunk_count() const { return chunk_count_; }
  uint32_t capacity() const { return chunk_count_ << kChunkShift; }

  Cell& cell(uint32_t slot) { return chunks_[slot >> kChunkShift].cells[slot & (kChunkSize - 1)]; }
  const Cell& cell(uint32_t slot) const { return chunks_[slot >> kChunkShift].cells[slot & (kChunkSize - 1)]; }

  // GC epilogue only. Looks for cleared handles; whether there are any. After a minor GC only slots young enough to have
  // been cleared by it are looked at, and appended to `dead`. After a major GC the search stops at the first: the rest of
  // it, Continue(), belongs to nobody's pause.
  bool CollectDead(bool major, SlotList* dead);

  // Goes on with the search: ends the generation of slots whose handle is cleared and appends them to `dead`, until that
  // has `enough`, or `cells` have been looked at, or all.
  void Continue(SlotList* dead, uint32_t enough, uint32_t cells);
  void Finish(SlotList* dead) { Continue(dead, kNone, kNone); }
  bool searching() const { return search_next_ < search_end_; }

  // `list` must not be empty.
  uint32_t Pop(SlotList* list);

  // A dead slot that JavaScript has let go of: leaves the index, becomes free or retires.
  void Release(uint32_t slot);

  // Teardown: every live handle is reset, in any order.
  void ResetAll();

  // What IdentityIndex asks of its store.
  uint32_t hash(uint32_t slot) const { return cell(slot).hash; }
  uint32_t& next(uint32_t slot) { return chunks_[slot >> kChunkShift].next[slot & (kChunkSize - 1)]; }

  // nullptr if every invariant holds, else which one is broken. For tests: walks everything.
  const char* Verify(const SlotList& dead, uint32_t taken) const;
  // Live slots whose handle is null already: deaths that no epilogue has seen. For tests: walks everything.
  uint32_t CountUnseen() const;

  uint32_t live() const { return live_; }
  uint32_t retired() const { return retired_; }
  uint32_t buckets() const { return index_.buckets(); }
  size_t young() const { return nursery_.size() + survivors_.size(); }

  // For tests; the defaults cannot be reached in a test's time.
  void SetLimits(uint32_t max_slots, uint32_t max_generation) {
    max_slots_ = max_slots;
    max_generation_ = max_generation;
  }

 private:
  struct Chunk {
    Cell* cells;
    uint32_t* next;
  };

  void Die(uint32_t slot, SlotList* dead);
  void Search();
  void ScanYoung(SlotList* dead);
  bool ShouldReclaimFirst();

  Memory& memory_;
  Chunk* chunks_ = nullptr;
  uint32_t chunk_count_ = 0;
  uint32_t chunk_capacity_ = 0;
  IdentityIndex<SlotTable> index_;

  uint32_t free_head_ = kNone;
  uint32_t free_count_ = 0;
  uint32_t live_ = 0;
  uint32_t retired_ = 0;
  uint32_t max_slots_ = kMaxSlots;
  uint32_t max_generation_ = kMaxGeneration;

  // Slots made since the last GC, and those that have survived one. V8 promotes what survives two minor GCs; a slot
  // that is older can only be cleared by a major one. Should a V8 keep objects young for longer, their deaths are still
  // told at once (the handle is null) and queued by the next major GC.
  SlotVector nursery_;
  SlotVector survivors_;
  // How many more GCs must look at everything, because a slot could not be put on its list.
  int young_incomplete_ = 0;

  // The search of a major GC for the dead: the cells that are still to be looked at.
  uint32_t search_next_ = 0;
  uint32_t search_end_ = 0;

  uint32_t acquired_ = 0;
};

}  // namespace weakly

#endif  // WEAKLY_SLOT_TABLE_H_
