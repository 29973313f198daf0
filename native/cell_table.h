// Weak cells: who is waited for, and is it still there.
//
// A cell is an index into chunks that never move, because V8 writes into them: a weak handle without a callback is cleared
// by the collector storing null into the Global itself. That is a quarter of the price of a weak callback; we then look
// for the nulls (CollectDead, Continue).
//
// The life of a cell:
//   free   generation even, word links the free list
//   live   generation odd,  word is the weak Global; null from the moment the collector found the target dead
//   dead   generation even, word links a list of its owner's; JavaScript still holds something for it
//   (Free) -> free again, or retired for ever when its generations are used up
//
// JavaScript reads cells as an Int32Array, without a call: words 0 and 1 are the handle (both zero: the target is gone),
// word 2 is the generation. So it is told the truth even about a death that no epilogue has seen yet: V8 skips the
// callbacks of a GC that starts inside another GC's callbacks.

#ifndef WEAKLY_CELL_TABLE_H_
#define WEAKLY_CELL_TABLE_H_

#include <v8.h>

#include <cstdint>

#include "memory.h"

namespace weakly {

struct Cell {
  union {
    v8::Global<v8::Value> target;  // while live
    uint64_t link;                 // while dead or free
  };
  uint32_t generation;
  uint32_t key;  // the table's: an identity hash, or CleanupQueue's place in the order of registration

  bool live() const { return (generation & 1) != 0; }

  Cell() = delete;  // cells are zeroed memory: null handle, generation 0, free
  ~Cell() = delete;
};
static_assert(sizeof(v8::Global<v8::Value>) == 8, "cells assume 64-bit handles");
static_assert(sizeof(Cell) == 16, "lib/ reads cells as four words");

// A queue of dead cells, first in, first out, threaded through them: a GC callback must not need memory.
struct CellList {
  uint32_t head = 0xFFFFFFFFu;
  uint32_t tail = 0xFFFFFFFFu;
  uint32_t size = 0;
};

class CellTable {
 public:
  static constexpr uint32_t kChunkShift = 12;
  static constexpr uint32_t kChunkSize = 1u << kChunkShift;
  static constexpr uint32_t kNone = 0xFFFFFFFFu;
  // Cells and generations stay small integers in JavaScript on every build of V8.
  static constexpr uint32_t kMaxCells = 1u << 28;
  static constexpr uint32_t kMaxGeneration = (1u << 30) - 1;

  explicit CellTable(Memory& memory) : memory_(memory), nursery_(memory), survivors_(memory) {}
  ~CellTable();
  CellTable(const CellTable&) = delete;
  CellTable& operator=(const CellTable&) = delete;

  // One chunk more, in reserve; if there is one already, that. False: memory was refused or the limit is reached.
  bool Reserve();
  void* reserved() { return chunks_[chunk_count_]; }
  // Frees the cells that are in reserve for use. Not before JavaScript has its words: an execution may be terminated at any point,
  // and would read others in their place for ever after.
  void Open();
  uint32_t chunk_count() const { return chunk_count_; }
  uint32_t capacity() const { return chunk_count_ << kChunkShift; }

  Cell& cell(uint32_t i) { return chunks_[i >> kChunkShift][i & (kChunkSize - 1)]; }
  const Cell& cell(uint32_t i) const { return chunks_[i >> kChunkShift][i & (kChunkSize - 1)]; }

  bool full() const { return free_count_ <= held_back_; }
  // A cell for `target`; the table must not be full. The key is the caller's to set.
  uint32_t Occupy(v8::Isolate* isolate, v8::Local<v8::Value> target);
  // A dead cell that JavaScript has let go of becomes free or retires.
  void Free(uint32_t i);
  // A live cell that nobody wants any more: the same, at once.
  void Discard(uint32_t i);
  // A live cell gets another target, and keeps its generation: only for who does not name targets by it.
  void Retarget(v8::Isolate* isolate, uint32_t i, v8::Local<v8::Value> target);

  // GC epilogue only. Looks for cleared handles; whether there are any. After a minor GC only cells young enough to have
  // been cleared by it are looked at, and appended to `dead`, oldest first. After a major GC the search stops at the
  // first: the rest of it, Continue(), belongs to nobody's pause.
  bool CollectDead(bool major, CellList* dead);

  // Goes on with the search: ends the generation of cells whose handle is cleared and appends them to `dead`, until that
  // has `enough`, or `cells` have been looked at, or all.
  void Continue(CellList* dead, uint32_t enough, uint32_t cells);
  bool searching() const { return search_next_ < search_end_; }
  // Starts a search of everything, as a major GC does.
  void SearchAll();

  void Append(CellList* list, uint32_t i);
  // `list` must not be empty.
  uint32_t Pop(CellList* list);

  // Teardown: every live handle is reset, in any order.
  void ResetAll();

  // nullptr if every invariant holds, else which one is broken; `dead` is how many its owner has of them. For tests:
  // walks everything.
  const char* Verify(uint32_t dead) const;
  // Live cells whose handle is null already: deaths that no epilogue has seen. For tests: walks everything.
  uint32_t CountUnseen() const;

  uint32_t live() const { return live_; }
  uint32_t retired() const { return retired_; }
  // Neither live, nor free, nor retired.
  uint32_t dead() const { return capacity() - live_ - free_count_ - retired_; }
  size_t young() const { return nursery_.size() + survivors_.size(); }

  // For tests; the defaults cannot be reached in a test's time.
  void SetLimits(uint32_t max_cells, uint32_t max_generation) {
    max_cells_ = max_cells;
    max_generation_ = max_generation;
  }
  // For tests: as if there were neither a free cell nor memory for more, whatever GCs set free meanwhile.
  void Refuse(bool refuse) { held_back_ = refuse ? kNone : 0; }

 private:
  void Die(uint32_t i, CellList* dead);
  void StartSearch();
  void ScanYoung(CellList* dead);
  void PutInNursery(uint32_t i);

  Memory& memory_;
  Cell** chunks_ = nullptr;
  uint32_t chunk_count_ = 0;
  bool reserved_ = false;  // one more chunk is there, not counted yet
  uint32_t chunk_capacity_ = 0;

  uint32_t free_head_ = kNone;
  uint32_t free_count_ = 0;
  uint32_t held_back_ = 0;  // free, and not given to anyone
  uint32_t live_ = 0;
  uint32_t retired_ = 0;
  uint32_t max_cells_ = kMaxCells;
  uint32_t max_generation_ = kMaxGeneration;

  // Cells occupied since the last GC, and those that have survived one. V8 promotes what survives two minor GCs; a cell
  // that is older can only be cleared by a major one. Should a V8 keep objects young for longer, their deaths are still
  // told at once (the handle is null) and queued by the next major GC.
  CellVector nursery_;
  CellVector survivors_;
  // How many more GCs must look at everything, because a cell could not be put on its list.
  int young_incomplete_ = 0;

  // The search of a major GC for the dead: the cells that are still to be looked at.
  uint32_t search_next_ = 0;
  uint32_t search_end_ = 0;
};

}  // namespace weakly

#endif  // WEAKLY_CELL_TABLE_H_
