// Weak cells: who is waited for, and is it still there.
//
// A cell is an index into chunks that never move, because V8 writes into them: a weak handle without a callback is cleared
// by the collector storing null into the Global itself. That is a quarter of the price of a weak callback; we then look
// for the nulls (CollectDead, Continue).
//
// Cells are taken from the lowest chunk that has one, so that those above it become empty after a peak, and can be given back.
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
  // Whether it is live, and named by this generation, which may be any number.
  bool Is(uint32_t named) const { return generation == named && live(); }
  // Whether it is dead, was named by this generation, and has not been used again.
  bool Was(uint32_t named) const { return generation == named + 1 && generation != 0 && !live(); }

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

  // One chunk more, in reserve; if there is one already, that: one that was given back, or a new one. False: memory was refused
  // or the limit is reached.
  bool Reserve();
  // Which one it is; JavaScript needs the words of one that is `new`.
  uint32_t reserved() const { return reserved_; }
  bool reserved_is_new() const { return reserved_ == chunk_count_; }
  void* reserved_words() { return chunks_[reserved_]; }
  // Frees the cells that are in reserve for use. Not before JavaScript has its words: an execution may be terminated at any point,
  // and would read others in their place for ever after.
  void Open();

  // Gives the memory of one chunk back whose cells have all been free since before the last search, if many more cells are
  // free than in use. Its number, or kNone: there is none, or no more. JavaScript goes on reading its words, and finds none
  // of them live; its generations go on from the highest that it had.
  uint32_t GiveBack();
  // Whether there is something to be given back.
  bool idle() const { return empty_ > 0 && free_count_ > live_ / 2 + kSpare; }
  uint32_t chunk_count() const { return chunk_count_; }
  uint32_t capacity() const { return chunk_count_ << kChunkShift; }
  // Whether the memory of a cell is there.
  bool resident(uint32_t i) const { return infos_[i >> kChunkShift].is_open; }
  // Cells whose memory is.
  uint32_t resident() const { return (chunk_count_ - given_back_) << kChunkShift; }

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

  // GC epilogue only. Looks for cleared handles; whether there are any. After a scavenge only cells young enough to have
  // been cleared by it are looked at, and appended to `dead`, oldest first. After another GC (`all`) the search stops at the
  // first: the rest of it, Continue(), belongs to nobody's pause.
  bool CollectDead(bool all, CellList* dead);

  // Goes on with the search: ends the generation of cells whose handle is cleared and appends them to `dead`, until that
  // has `enough`, or `cells` have been looked at, or all.
  void Continue(CellList* dead, uint32_t enough, uint32_t cells);
  bool searching() const { return search_next_ < search_end_; }
  // Starts a search of everything, as any GC but a scavenge does.
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
  uint32_t dead() const { return resident() - live_ - free_count_ - retired_; }
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
  uint32_t SkipEmpty(uint32_t i) const;
  void ScanYoung(CellList* dead);
  void PutInNursery(uint32_t i);

  // Of each chunk.
  struct Info {
    uint32_t free_head;
    uint32_t free;  // cells that can be occupied
    uint32_t live;
    uint32_t emptied;  // which search was the last when it had become empty
    uint32_t base;     // of one that was given back: the generation of its cells
    size_t given;      // and the bytes
    bool is_open;
    bool empty() const { return is_open && free == kChunkSize; }
  };
  // Free cells that are kept, whatever is in use.
  static constexpr uint32_t kSpare = 2 * kChunkSize;

  bool GrowLists();
  uint32_t FirstWithFree();
  uint32_t FirstGivenBack() const;

  Memory& memory_;
  Cell** chunks_ = nullptr;
  Info* infos_ = nullptr;
  uint64_t* with_free_ = nullptr;  // a bit for each chunk that has free cells
  uint32_t chunk_count_ = 0;
  uint32_t chunk_capacity_ = 0;
  uint32_t reserved_ = kNone;  // a chunk that is there, and not open yet
  uint32_t given_back_ = 0;    // chunks
  uint32_t empty_ = 0;         // chunks
  uint32_t lowest_ = 0;        // no chunk below it has free cells
  uint32_t give_next_ = 0;     // where GiveBack() goes on, downwards
  uint32_t searches_ = 0;

  uint32_t free_count_ = 0;
  uint32_t held_back_ = 0;  // free, and not given to anyone
  uint32_t live_ = 0;
  uint32_t retired_ = 0;
  uint32_t max_cells_ = kMaxCells;
  uint32_t max_generation_ = kMaxGeneration;

  // Cells occupied since the last GC, and those that have survived one. V8 promotes what survives two scavenges; a cell
  // that is older can only be cleared by another GC. Should a V8 keep objects young for longer, their deaths are still
  // told at once (the handle is null) and queued by the next major GC.
  CellVector nursery_;
  CellVector survivors_;
  // How many more GCs must look at everything, because a cell could not be put on its list.
  int young_incomplete_ = 0;

  // The search of everything for the dead: the cells that are still to be looked at.
  uint32_t search_next_ = 0;
  uint32_t search_end_ = 0;
};

}  // namespace weakly

#endif  // WEAKLY_CELL_TABLE_H_
