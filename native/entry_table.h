// Weak entries of collections: what is in one, and is it still there.
//
// An entry is a cell that belongs to an owner. The owner is a JavaScript object that only its collection holds, and has a
// cell of this table itself: when the collection is garbage, so is the owner, and its entries are nobody's. No JavaScript
// is there then that could give them back; they go with their targets, or are swept away when they become too many.
//
// An entry has a place, a number of its owner's: where that keeps what belongs to the entry. Or it is keyed: found again by
// its target, in an index that all owners share.
//
// A dead entry is given to its owner, in a batch, and stays what it is until the batch is given back: whatever the owner
// has noted of it stays true.

#ifndef WEAKLY_ENTRY_TABLE_H_
#define WEAKLY_ENTRY_TABLE_H_

#include <v8.h>

#include <cstdint>

#include "cell_table.h"
#include "identity_index.h"
#include "memory.h"
#include "side_table.h"

namespace weakly {

class EntryTable {
 public:
  static constexpr uint32_t kNone = CellTable::kNone;
  static constexpr uint32_t kBatch = 512;
  static constexpr uint32_t kMaxPlaces = CellTable::kMaxCells;

  // What JavaScript is told of a dead entry: what it was named by, and by what its owner is.
  struct Dead {
    uint32_t entry;
    uint32_t generation;
    uint32_t owner;
    uint32_t owner_generation;
    uint32_t place;
  };

  explicit EntryTable(Memory& memory) : memory_(memory), cells_(memory), index_(memory, *this), sides_(memory) {}
  ~EntryTable();
  EntryTable(const EntryTable&) = delete;
  EntryTable& operator=(const EntryTable&) = delete;

  // Once, before anything else; false when memory was refused.
  bool Init();

  // Those that make a cell return kNone when dead ones should be taken first, or if there are none the table has to grow.
  uint32_t AddOwner(v8::Isolate* isolate, v8::Local<v8::Value> target);
  uint32_t Add(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t owner, uint32_t place);
  // The owner should not have an entry of this key: FindKey() would find any one of them.
  uint32_t AddKey(v8::Isolate* isolate, v8::Local<v8::Value> key, uint32_t hash, uint32_t owner, uint32_t place);
  // The place of the key's entry. kNone: the owner has none.
  uint32_t FindKey(v8::Local<v8::Value> key, uint32_t hash, uint32_t owner) const;
  // As CellTable's.
  bool Reserve();
  uint32_t GiveBack();

  // Whether it is an entry, or an owner, that is live and named by this generation.
  bool IsEntry(uint32_t i, uint32_t generation) const { return cells_.cell(i).Is(generation) && !IsOwner(i); }
  bool IsLiveOwner(uint32_t i, uint32_t generation) const { return cells_.cell(i).Is(generation) && IsOwner(i); }
  bool IsOwner(uint32_t i) const { return side(i).owner == kOwner; }
  // Of a live entry: whether it is found by its key.
  bool IsKeyed(uint32_t entry) const { return cells_.cell(entry).key != kUnkeyed; }

  // A live entry gets another target; false: the one it had is dead.
  bool Retarget(v8::Isolate* isolate, uint32_t entry, v8::Local<v8::Value> target);
  // A live entry becomes free; whether its target was there.
  bool Discard(uint32_t entry);

  // Entries of `owner` that are not dead. All deaths of the last GC must have been found: Finish().
  uint32_t Count(uint32_t owner) const { return side(owner).place; }

  // GC epilogue only; whether anything died.
  bool OnGc(bool all);
  // Finds all deaths that a GC has left to find.
  void Finish();
  // The same after a GC whose callbacks were skipped.
  void FindUnseen();

  // Fills the batch with dead entries whose owners are alive; returns its length, 0 when there was nothing to do, -1 when
  // that is to be asked again. A batch that was not given back is returned as it is.
  int32_t Take();
  // Frees the entries of the batch.
  void Release();
  // A copy, for JavaScript: what it may have written there is not what is released.
  Dead* shared() { return shared_; }

  // What IdentityIndex asks of its store.
  uint32_t hash(uint32_t entry) const { return cells_.cell(entry).key; }
  uint32_t& next(uint32_t entry) { return side(entry).next; }

  CellTable& cells() { return cells_; }
  const CellTable& cells() const { return cells_; }
  uint64_t deaths() const { return deaths_; }
  // Dead entries that have not been given back.
  uint32_t pending() const { return dead_.size + taken_; }
  uint32_t orphans() const { return orphans_; }

  // nullptr if every invariant holds, else which one is broken. For tests: walks everything.
  const char* Verify() const;
  // Calls `look` for every entry that is live, or dead and not given back; of an owner, which is one as well, `owner` is kNone.
  // For tests: walks everything.
  template <typename Look>
  void EachEntry(Look look) const {
    EachCell([&](uint32_t i) {
      const bool live = cells_.cell(i).live();
      const uint32_t owner = IsOwner(i) ? kNone : side(i).owner;
      const uint32_t owner_generation = IsOwner(i) ? 0 : cells_.cell(owner).generation;
      look(Dead{i, cells_.cell(i).generation - (live ? 0 : 1), owner, owner_generation, side(i).place}, live);
    });
  }

 private:
  // What there is of a cell besides.
  struct Side {
    uint32_t owner;  // kOwner: it is one
    uint32_t place;  // an owner's: how many of its entries are not dead
    uint32_t next;   // the link of the index; an owner's: how many cells name it
  };
  static constexpr uint32_t kOwner = 0xFFFFFFFFu;
  // In place of a hash, which has fewer bits.
  static constexpr uint32_t kUnkeyed = 0xFFFFFFFFu;
  static constexpr uint32_t kDied = 0xFFFFFFFEu;   // an owner whose death has been noted
  static constexpr uint32_t kEnded = 0xFFFFFFFDu;  // and that waits for its entries to go
  static constexpr uint32_t kHashMask = 0x7FFFFFFFu;

  static uint32_t Mix(uint32_t hash, uint32_t owner) { return (hash ^ (owner * 0x9E3779B1u)) & kHashMask; }

  Side& side(uint32_t i) { return sides_[i]; }
  const Side& side(uint32_t i) const { return sides_[i]; }
  uint32_t Link(uint32_t i) const { return static_cast<uint32_t>(cells_.cell(i).link); }
  // Not whether the owner's cell is dead: that of its entries may have to be noted first.
  bool IsOrphan(uint32_t entry) const { return cells_.cell(side(entry).owner).key != kUnkeyed; }

  template <typename Look>
  void EachCell(Look look) const {
    for (uint32_t i = 0; i < cells_.capacity(); i++) {
      if (cells_.cell(i).live()) look(i);
    }
    for (uint32_t i = dead_.head; i != kNone; i = Link(i)) look(i);
    for (uint32_t i = 0; i < taken_; i++) look(batch_[i]);
  }

  bool MustWait();
  uint32_t Occupy(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t key, Side side);
  void NoteDeaths(uint32_t last);
  void Continue(uint32_t enough, uint32_t cells);
  void EndOwner(uint32_t owner);
  void Leave(uint32_t entry);
  void FreeEntry(uint32_t entry);
  bool Sweep();

  Memory& memory_;
  CellTable cells_;
  IdentityIndex<EntryTable> index_;
  bool indexed_ = false;
  SideTable<Side, CellTable::kChunkShift> sides_;

  CellList dead_;
  uint64_t deaths_ = 0;
  uint32_t batch_[kBatch];
  uint32_t taken_ = 0;
  Dead* shared_ = nullptr;
  uint32_t added_ = 0;
  // Entries that are not dead, and whose owner is.
  uint32_t orphans_ = 0;
  uint32_t sweep_next_ = 0;
  bool sweeping_ = false;
};

}  // namespace weakly

#endif  // WEAKLY_ENTRY_TABLE_H_
