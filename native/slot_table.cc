#include "slot_table.h"

#include <new>

namespace weakly {

namespace {

// The minor GCs that an object can die in before V8 promotes it.
constexpr int kYoungGcs = 2;

// A job that makes pointers and never yields to the event loop has to reclaim what dies meanwhile, and soon: what
// JavaScript holds for a dead slot would be promoted by the next minor GC but one. So every so many new slots, while so
// many are dead, a batch comes first.
constexpr uint32_t kReclaimEvery = 128;
constexpr uint32_t kReclaimFrom = 512;

}  // namespace

SlotTable::~SlotTable() {
  ResetAll();
  for (uint32_t i = 0; i < chunk_count_; i++) {
    memory_.Free(chunks_[i].cells, kChunkSize);
    memory_.Free(chunks_[i].next, kChunkSize);
  }
  memory_.Free(chunks_, chunk_capacity_);
}

uint32_t SlotTable::Acquire(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t hash) {
  // Dead slots stay in the index until the queue drains; their word is a link, not a handle.
  const uint32_t known = index_.Find(hash, [&](uint32_t slot) {
    const Cell& found = cell(slot);
    return found.live() && found.target == target;
  });
  if (known != kNone) return known;
  if (free_head_ == kNone || ShouldReclaimFirst()) return kNone;

  const uint32_t slot = free_head_;
  Cell& fresh = cell(slot);
  free_head_ = static_cast<uint32_t>(fresh.link);
  free_count_--;
  new (&fresh.target) v8::Global<v8::Value>(isolate, target);
  fresh.target.SetWeak();
  fresh.generation++;
  fresh.hash = hash;
  index_.Insert(slot);
  live_++;
  if (!nursery_.Push(slot)) young_incomplete_ = kYoungGcs;
  return slot;
}

bool SlotTable::Grow() {
  if (capacity() + kChunkSize > max_slots_) return false;
  if (chunk_count_ == chunk_capacity_) {
    const uint32_t wanted = chunk_capacity_ == 0 ? 16 : chunk_capacity_ * 2;
    Chunk* chunks = memory_.Resize(chunks_, chunk_capacity_, wanted);
    if (chunks == nullptr) return false;
    chunks_ = chunks;
    chunk_capacity_ = wanted;
  }
  Chunk chunk{memory_.Allocate<Cell>(kChunkSize), memory_.Allocate<uint32_t>(kChunkSize)};
  if (chunk.cells == nullptr || chunk.next == nullptr) {
    memory_.Free(chunk.cells, kChunkSize);
    memory_.Free(chunk.next, kChunkSize);
    return false;
  }
  const uint32_t first = capacity();
  chunks_[chunk_count_++] = chunk;
  // Lowest slot first, so that a run of new pointers walks memory forwards.
  for (uint32_t i = kChunkSize; i-- > 0;) {
    chunk.cells[i].link = free_head_;
    free_head_ = first + i;
  }
  free_count_ += kChunkSize;
  return true;
}

void SlotTable::Die(uint32_t slot, SlotList* dead) {
  Cell& cell = this->cell(slot);
  cell.generation++;
  cell.link = kNone;
  if (dead->tail == kNone) {
    dead->head = slot;
  } else {
    this->cell(dead->tail).link = slot;
  }
  dead->tail = slot;
  dead->size++;
  live_--;
}

bool SlotTable::CollectDead(bool major, SlotList* dead) {
  const uint32_t before = dead->size;
  // If the prologue of this GC was skipped, V8 being inside another's callbacks, an older search is merged into this one.
  if (major || young_incomplete_ > 0) Search();
  if (young_incomplete_ > 0) young_incomplete_--;
  ScanYoung(dead);
  return searching() || dead->size != before;
}

void SlotTable::Search() {
  search_end_ = capacity();
  for (search_next_ = 0; search_next_ < search_end_; search_next_++) {
    const Cell& seen = cell(search_next_);
    if (seen.live() && seen.target.IsEmpty()) return;
  }
}

void SlotTable::Continue(SlotList* dead, uint32_t enough, uint32_t cells) {
  const uint32_t end = cells < search_end_ - search_next_ ? search_next_ + cells : search_end_;
  while (search_next_ < end && dead->size < enough) {
    const uint32_t slot = search_next_++;
    const Cell& seen = cell(slot);
    if (seen.live() && seen.target.IsEmpty()) Die(slot, dead);
  }
}

bool SlotTable::ShouldReclaimFirst() {
  const uint32_t dead = capacity() - live_ - free_count_ - retired_;
  return (dead >= kReclaimFrom || searching()) && ++acquired_ % kReclaimEvery == 0;
}

// Also ages the young slots. A slot stands in one of the lists at most once: it enters when it is made, and leaves dead
// or old, before it can be made again.
void SlotTable::ScanYoung(SlotList* dead) {
  for (size_t i = 0; i < survivors_.size(); i++) {
    const uint32_t slot = survivors_[i];
    if (cell(slot).live() && cell(slot).target.IsEmpty()) Die(slot, dead);
  }
  survivors_.Clear();
  size_t kept = 0;
  for (size_t i = 0; i < nursery_.size(); i++) {
    const uint32_t slot = nursery_[i];
    if (!cell(slot).live()) continue;
    if (cell(slot).target.IsEmpty()) {
      Die(slot, dead);
    } else {
      nursery_.Set(kept++, slot);
    }
  }
  nursery_.Truncate(kept);
  nursery_.Swap(survivors_);
}

uint32_t SlotTable::Pop(SlotList* list) {
  const uint32_t slot = list->head;
  list->head = static_cast<uint32_t>(cell(slot).link);
  if (list->head == kNone) list->tail = kNone;
  list->size--;
  return slot;
}

void SlotTable::Release(uint32_t slot) {
  index_.Remove(slot);
  Cell& freed = cell(slot);
  if (freed.generation >= max_generation_) {
    // Generation and slot name one target for ever: a slot that has used up its generations is never used again.
    retired_++;
    freed.link = kNone;
    return;
  }
  freed.link = free_head_;
  free_head_ = slot;
  free_count_++;
}

void SlotTable::ResetAll() {
  for (uint32_t slot = 0; slot < capacity(); slot++) {
    Cell& live = cell(slot);
    if (!live.live()) continue;
    live.target.Reset();
    live.target.~Global();
    live.link = kNone;
    live.generation++;
    live_--;
  }
}

uint32_t SlotTable::CountUnseen() const {
  uint32_t unseen = 0;
  for (uint32_t slot = 0; slot < capacity(); slot++) {
    if (cell(slot).live() && cell(slot).target.IsEmpty()) unseen++;
  }
  return unseen;
}

const char* SlotTable::Verify(const SlotList& dead, uint32_t taken) const {
  uint32_t live = 0;
  for (uint32_t slot = 0; slot < capacity(); slot++) live += cell(slot).live() ? 1 : 0;
  if (live != live_) return "live slots are miscounted";

  uint32_t free = 0;
  for (uint32_t slot = free_head_; slot != kNone; slot = static_cast<uint32_t>(cell(slot).link)) {
    if (slot >= capacity() || cell(slot).live() || ++free > free_count_) return "the free list is broken";
  }
  if (free != free_count_) return "free slots are miscounted";

  uint32_t queued = 0;
  uint32_t last = kNone;
  for (uint32_t slot = dead.head; slot != kNone; slot = static_cast<uint32_t>(cell(slot).link)) {
    if (slot >= capacity() || cell(slot).live() || ++queued > dead.size) return "the dead list is broken";
    last = slot;
  }
  if (queued != dead.size || last != dead.tail) return "dead slots are miscounted";

  bool broken = false;
  const uint32_t indexed = index_.Verify(capacity(), [&] { broken = true; });
  if (broken) return "a bucket of the identity index is broken";
  if (indexed != index_.count()) return "the identity index is miscounted";
  if (indexed != live_ + dead.size + taken) return "the identity index does not hold exactly the live and the dead";
  if (live_ + dead.size + taken + free_count_ + retired_ != capacity()) return "a slot is in no state at all";
  return nullptr;
}

}  // namespace weakly
