#include "entry_table.h"

#include <algorithm>

namespace weakly {

namespace {

// Cells that one call looks at, and dead ones or orphans that it sorts out, each some half a millisecond: callers measure their time
// between calls.
constexpr uint32_t kSearchStep = 1u << 18;
constexpr uint32_t kDeathStep = 1u << 14;

// As with slots: a job that adds entries and never yields has to take dead ones meanwhile.
constexpr uint32_t kReclaimEvery = 128;
constexpr uint32_t kReclaimFrom = 512;

// So many orphans, and a quarter of all cells, may wait for their targets to die.
constexpr uint32_t kFewOrphans = 4096;

}  // namespace

EntryTable::~EntryTable() { memory_.Free(shared_, kBatch); }

bool EntryTable::Init() {
  shared_ = memory_.Allocate<Dead>(kBatch);
  return shared_ != nullptr;
}

bool EntryTable::Reserve() {
  // The index as well: it is needed by some collections only, and can be refused here only.
  if (!indexed_ && !(indexed_ = index_.Init())) return false;
  // The sides last: should they be refused, the next attempt finds the cells here.
  return cells_.Reserve() && sides_.Reserve(cells_.reserved());
}

uint32_t EntryTable::GiveBack() {
  const uint32_t chunk = cells_.GiveBack();
  if (chunk != kNone) sides_.Drop(chunk);
  return chunk;
}

bool EntryTable::MustWait() {
  return cells_.full() || ((dead_.size >= kReclaimFrom || cells_.searching()) && ++added_ % kReclaimEvery == 0);
}

uint32_t EntryTable::Occupy(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t key, Side side) {
  const uint32_t i = cells_.Occupy(isolate, target);
  cells_.cell(i).key = key;
  this->side(i) = side;
  if (side.owner != kOwner) {
    Side& owner = this->side(side.owner);
    owner.place++;
    owner.next++;
  }
  return i;
}

uint32_t EntryTable::AddOwner(v8::Isolate* isolate, v8::Local<v8::Value> target) {
  return MustWait() ? kNone : Occupy(isolate, target, kUnkeyed, {kOwner, 0, 0});
}

uint32_t EntryTable::Add(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t owner, uint32_t place) {
  return MustWait() ? kNone : Occupy(isolate, target, kUnkeyed, {owner, place, kNone});
}

uint32_t EntryTable::AddKey(v8::Isolate* isolate, v8::Local<v8::Value> key, uint32_t hash, uint32_t owner,
                            uint32_t place) {
  if (MustWait()) return kNone;
  const uint32_t entry = Occupy(isolate, key, Mix(hash, owner), {owner, place, kNone});
  index_.Insert(entry);
  return entry;
}

uint32_t EntryTable::FindKey(v8::Local<v8::Value> key, uint32_t hash, uint32_t owner) const {
  if (!indexed_) return kNone;
  const uint32_t entry = index_.Find(Mix(hash, owner), [&](uint32_t candidate) {
    const Cell& found = cells_.cell(candidate);
    return side(candidate).owner == owner && found.live() && found.target == key;
  });
  return entry == kNone ? kNone : side(entry).place;
}

bool EntryTable::Retarget(v8::Isolate* isolate, uint32_t entry, v8::Local<v8::Value> target) {
  if (cells_.cell(entry).target.IsEmpty()) return false;
  cells_.Retarget(isolate, entry, target);
  return true;
}

bool EntryTable::Discard(uint32_t entry) {
  const Cell& cell = cells_.cell(entry);
  const bool alive = !cell.target.IsEmpty();
  const uint32_t owner = side(entry).owner;
  if (IsOrphan(entry)) orphans_--;
  side(owner).place--;
  if (cell.key != kUnkeyed) index_.Remove(entry);
  cells_.Discard(entry);
  Leave(owner);
  return alive;
}

bool EntryTable::OnGc(bool all) {
  const uint32_t last = dead_.tail;
  const bool found = cells_.CollectDead(all, &dead_);
  NoteDeaths(last);
  return found;
}

void EntryTable::Continue(uint32_t enough, uint32_t cells) {
  const uint32_t last = dead_.tail;
  cells_.Continue(&dead_, enough, cells);
  NoteDeaths(last);
}

void EntryTable::Finish() {
  if (cells_.searching()) Continue(kNone, kNone);
}

void EntryTable::FindUnseen() {
  cells_.SearchAll();
  Finish();
}

// Of those that have come after `last` in the list.
void EntryTable::NoteDeaths(uint32_t last) {
  for (uint32_t i = last == kNone ? dead_.head : Link(last); i != kNone; i = Link(i)) {
    deaths_++;
    const Side& died = side(i);
    if (died.owner == kOwner) {
      cells_.cell(i).key = kDied;
      orphans_ += died.place;
    } else {
      side(died.owner).place--;
      if (IsOrphan(i)) orphans_--;
    }
  }
}

int32_t EntryTable::Take() {
  if (taken_ > 0) return static_cast<int32_t>(taken_);
  const bool searched = dead_.size < kBatch && cells_.searching();
  if (searched) Continue(kBatch, kSearchStep);
  const bool found = dead_.size > 0;
  for (uint32_t looked = 0; looked < kDeathStep && taken_ < kBatch && dead_.size > 0; looked++) {
    const uint32_t i = cells_.Pop(&dead_);
    if (IsOwner(i)) {
      EndOwner(i);
    } else if (IsOrphan(i)) {
      FreeEntry(i);
    } else {
      const uint32_t owner = side(i).owner;
      shared_[taken_] = {i, cells_.cell(i).generation - 1, owner, cells_.cell(owner).generation, side(i).place};
      batch_[taken_++] = i;
    }
  }
  if (taken_ > 0) return static_cast<int32_t>(taken_);
  // Not 0 where that was the last of it: who was refused because of it would let the table grow, which has room.
  return searched || found || Sweep() ? -1 : 0;
}

void EntryTable::Release() {
  for (uint32_t i = 0; i < taken_; i++) FreeEntry(batch_[i]);
  taken_ = 0;
}

// A dead owner's number is used again when no cell names it any more.
void EntryTable::EndOwner(uint32_t owner) {
  if (side(owner).next == 0) {
    cells_.Free(owner);
  } else {
    cells_.cell(owner).key = kEnded;
  }
}

void EntryTable::Leave(uint32_t owner) {
  if (--side(owner).next == 0 && cells_.cell(owner).key == kEnded) cells_.Free(owner);
}

void EntryTable::FreeEntry(uint32_t entry) {
  const uint32_t owner = side(entry).owner;
  if (cells_.cell(entry).key != kUnkeyed) index_.Remove(entry);
  cells_.Free(entry);
  Leave(owner);
}

// One step; false: there is nothing to sweep.
bool EntryTable::Sweep() {
  if (!sweeping_) {
    if (orphans_ <= std::max(kFewOrphans, cells_.live() / 4)) return false;
    sweeping_ = true;
    sweep_next_ = 0;
  }
  const uint32_t end = std::min(cells_.capacity(), sweep_next_ + kSearchStep);
  for (uint32_t gone = 0; sweep_next_ < end && gone < kDeathStep; sweep_next_++) {
    if (!cells_.cell(sweep_next_).live() || IsOwner(sweep_next_) || !IsOrphan(sweep_next_)) continue;
    Discard(sweep_next_);
    gone++;
  }
  sweeping_ = sweep_next_ < cells_.capacity();
  return true;
}

const char* EntryTable::Verify() const {
  uint32_t ended = 0;
  uint32_t orphans = 0;
  uint32_t keyed = 0;
  // What owners count, counted again.
  uint64_t named = 0;
  uint64_t alive = 0;
  EachCell([&](uint32_t i) {
    if (IsOwner(i)) return;
    named++;
    if (cells_.cell(i).live()) alive++;
    if (cells_.cell(i).live() && IsOrphan(i)) orphans++;
    if (cells_.cell(i).key != kUnkeyed) keyed++;
  });
  uint64_t counted_named = 0;
  uint64_t counted_alive = 0;
  const auto count = [&](uint32_t owner) {
    counted_named += side(owner).next;
    counted_alive += side(owner).place;
  };
  EachCell([&](uint32_t i) {
    if (IsOwner(i)) count(i);
  });
  for (uint32_t i = 0; i < cells_.capacity(); i++) {
    if (!cells_.resident(i) || cells_.cell(i).live() || !IsOwner(i) || cells_.cell(i).key != kEnded ||
        side(i).next == 0)
      continue;
    ended++;
    count(i);
  }
  if (named != counted_named) return "entries that name an owner are miscounted";
  if (alive != counted_alive) return "the entries of an owner are miscounted";
  if (orphans != orphans_) return "orphans are miscounted";
  if (const char* broken = cells_.Verify(dead_.size + taken_ + ended)) return broken;
  if (!indexed_) return nullptr;

  bool broken = false;
  const uint32_t indexed = index_.Verify(cells_.capacity(), [&] { broken = true; });
  if (broken) return "a bucket of the index of keys is broken";
  if (indexed != index_.count() || indexed != keyed) return "the index of keys is miscounted";
  return nullptr;
}

}  // namespace weakly
