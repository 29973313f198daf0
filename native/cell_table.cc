#include "cell_table.h"

#include <new>

namespace weakly {

namespace {

// The minor GCs that an object can die in before V8 promotes it.
constexpr int kYoungGcs = 2;

}  // namespace

CellTable::~CellTable() {
  ResetAll();
  const uint32_t chunks = chunk_count_ + (reserved_ ? 1 : 0);
  for (uint32_t i = 0; i < chunks; i++) memory_.Free(chunks_[i], kChunkSize);
  memory_.Free(chunks_, chunk_capacity_);
}

bool CellTable::Reserve() {
  if (reserved_) return true;
  if (held_back_ > 0 || capacity() + kChunkSize > max_cells_) return false;
  if (chunk_count_ == chunk_capacity_) {
    const uint32_t wanted = chunk_capacity_ == 0 ? 16 : chunk_capacity_ * 2;
    Cell** chunks = memory_.Resize(chunks_, chunk_capacity_, wanted);
    if (chunks == nullptr) return false;
    chunks_ = chunks;
    chunk_capacity_ = wanted;
  }
  Cell* chunk = memory_.Allocate<Cell>(kChunkSize);
  if (chunk == nullptr) return false;
  chunks_[chunk_count_] = chunk;
  reserved_ = true;
  return true;
}

void CellTable::Open() {
  Cell* chunk = chunks_[chunk_count_];
  const uint32_t first = capacity();
  chunk_count_++;
  reserved_ = false;
  // Lowest cell first, so that a run of new ones walks memory forwards.
  for (uint32_t i = kChunkSize; i-- > 0;) {
    chunk[i].link = free_head_;
    free_head_ = first + i;
  }
  free_count_ += kChunkSize;
}

uint32_t CellTable::Occupy(v8::Isolate* isolate, v8::Local<v8::Value> target) {
  const uint32_t i = free_head_;
  Cell& fresh = cell(i);
  free_head_ = static_cast<uint32_t>(fresh.link);
  free_count_--;
  new (&fresh.target) v8::Global<v8::Value>(isolate, target);
  fresh.target.SetWeak();
  fresh.generation++;
  live_++;
  PutInNursery(i);
  return i;
}

void CellTable::Free(uint32_t i) {
  Cell& freed = cell(i);
  if (freed.generation >= max_generation_) {
    // Generation and cell name one target for ever: a cell that has used up its generations is never used again.
    retired_++;
    freed.link = kNone;
    return;
  }
  freed.link = free_head_;
  free_head_ = i;
  free_count_++;
}

void CellTable::Discard(uint32_t i) {
  Cell& discarded = cell(i);
  discarded.target.Reset();
  discarded.target.~Global();
  discarded.generation++;
  live_--;
  Free(i);
}

void CellTable::Retarget(v8::Isolate* isolate, uint32_t i, v8::Local<v8::Value> target) {
  Cell& live = cell(i);
  live.target.Reset(isolate, target);
  live.target.SetWeak();
  PutInNursery(i);
}

// One cell that gets a new target over and over must not fill the list between two GCs.
void CellTable::PutInNursery(uint32_t i) {
  if (nursery_.size() >= capacity() || !nursery_.Push(i)) young_incomplete_ = kYoungGcs;
}

void CellTable::Append(CellList* list, uint32_t i) {
  cell(i).link = kNone;
  if (list->tail == kNone) {
    list->head = i;
  } else {
    cell(list->tail).link = i;
  }
  list->tail = i;
  list->size++;
}

uint32_t CellTable::Pop(CellList* list) {
  const uint32_t i = list->head;
  list->head = static_cast<uint32_t>(cell(i).link);
  if (list->head == kNone) list->tail = kNone;
  list->size--;
  return i;
}

void CellTable::Die(uint32_t i, CellList* dead) {
  cell(i).generation++;
  live_--;
  Append(dead, i);
}

bool CellTable::CollectDead(bool major, CellList* dead) {
  const uint32_t before = dead->size;
  // If the prologue of this GC was skipped, V8 being inside another's callbacks, an older search is merged into this one.
  if (major || young_incomplete_ > 0) StartSearch();
  if (young_incomplete_ > 0) young_incomplete_--;
  ScanYoung(dead);
  return searching() || dead->size != before;
}

void CellTable::SearchAll() {
  search_next_ = 0;
  search_end_ = capacity();
}

// Up to the first dead cell.
void CellTable::StartSearch() {
  SearchAll();
  for (; search_next_ < search_end_; search_next_++) {
    const Cell& seen = cell(search_next_);
    if (seen.live() && seen.target.IsEmpty()) return;
  }
}

void CellTable::Continue(CellList* dead, uint32_t enough, uint32_t cells) {
  const uint32_t end = cells < search_end_ - search_next_ ? search_next_ + cells : search_end_;
  while (search_next_ < end && dead->size < enough) {
    const uint32_t i = search_next_++;
    const Cell& seen = cell(i);
    if (seen.live() && seen.target.IsEmpty()) Die(i, dead);
  }
}

// Also ages the young cells. A cell enters a list when it is occupied, and leaves it dead or old. One that was discarded
// in between may stand there a second time: it is then looked at twice.
void CellTable::ScanYoung(CellList* dead) {
  for (size_t i = 0; i < survivors_.size(); i++) {
    const uint32_t old = survivors_[i];
    if (cell(old).live() && cell(old).target.IsEmpty()) Die(old, dead);
  }
  survivors_.Clear();
  size_t kept = 0;
  for (size_t i = 0; i < nursery_.size(); i++) {
    const uint32_t young = nursery_[i];
    if (!cell(young).live()) continue;
    if (cell(young).target.IsEmpty()) {
      Die(young, dead);
    } else {
      nursery_[kept++] = young;
    }
  }
  nursery_.Truncate(kept);
  nursery_.Swap(survivors_);
}

void CellTable::ResetAll() {
  for (uint32_t i = 0; i < capacity(); i++) {
    Cell& live = cell(i);
    if (!live.live()) continue;
    live.target.Reset();
    live.target.~Global();
    live.link = kNone;
    live.generation++;
    live_--;
  }
}

uint32_t CellTable::CountUnseen() const {
  uint32_t unseen = 0;
  for (uint32_t i = 0; i < capacity(); i++) {
    if (cell(i).live() && cell(i).target.IsEmpty()) unseen++;
  }
  return unseen;
}

const char* CellTable::Verify(uint32_t dead) const {
  uint32_t live = 0;
  for (uint32_t i = 0; i < capacity(); i++) live += cell(i).live() ? 1 : 0;
  if (live != live_) return "live cells are miscounted";

  uint32_t free = 0;
  for (uint32_t i = free_head_; i != kNone; i = static_cast<uint32_t>(cell(i).link)) {
    if (i >= capacity() || cell(i).live() || ++free > free_count_) return "the free list is broken";
  }
  if (free != free_count_) return "free cells are miscounted";
  if (dead != this->dead()) return "a cell is in no state at all";
  return nullptr;
}

}  // namespace weakly
