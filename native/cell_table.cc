#include "cell_table.h"

#include <algorithm>
#include <bit>
#include <new>

namespace weakly {

namespace {

// The scavenges that an object can die in before V8 promotes it.
constexpr int kYoungGcs = 2;

}  // namespace

CellTable::~CellTable() {
  ResetAll();
  const uint32_t chunks = chunk_count_ + (reserved_ == chunk_count_ ? 1 : 0);
  for (uint32_t i = 0; i < chunks; i++) {
    memory_.TakeBack(infos_[i].given);
    memory_.Free(chunks_[i], kChunkSize);
  }
  memory_.Free(chunks_, chunk_capacity_);
  memory_.Free(infos_, chunk_capacity_);
  memory_.Free(with_free_, chunk_capacity_ / 64);
}

// Room for more chunks in all three lists, or as it was.
bool CellTable::GrowLists() {
  const uint32_t wanted = chunk_capacity_ == 0 ? 64 : chunk_capacity_ * 2;
  Cell** chunks = memory_.Allocate<Cell*>(wanted);
  Info* infos = memory_.Allocate<Info>(wanted);
  uint64_t* with_free = memory_.Allocate<uint64_t>(wanted / 64);
  if (chunks == nullptr || infos == nullptr || with_free == nullptr) {
    memory_.Free(chunks, wanted);
    memory_.Free(infos, wanted);
    memory_.Free(with_free, wanted / 64);
    return false;
  }
  std::copy_n(chunks_, chunk_count_, chunks);
  std::copy_n(infos_, chunk_count_, infos);
  std::copy_n(with_free_, chunk_capacity_ / 64, with_free);
  memory_.Free(chunks_, chunk_capacity_);
  memory_.Free(infos_, chunk_capacity_);
  memory_.Free(with_free_, chunk_capacity_ / 64);
  chunks_ = chunks;
  infos_ = infos;
  with_free_ = with_free;
  chunk_capacity_ = wanted;
  return true;
}

bool CellTable::Reserve() {
  if (reserved_ != kNone) return true;
  if (held_back_ > 0) return false;
  if (given_back_ > 0) {
    reserved_ = FirstGivenBack();
    return true;
  }
  if (capacity() + kChunkSize > max_cells_) return false;
  if (chunk_count_ == chunk_capacity_ && !GrowLists()) return false;
  Cell* chunk = memory_.Allocate<Cell>(kChunkSize);
  if (chunk == nullptr) return false;
  chunks_[chunk_count_] = chunk;
  infos_[chunk_count_] = {};
  reserved_ = chunk_count_;
  return true;
}

void CellTable::Open() {
  const uint32_t opened = reserved_;
  reserved_ = kNone;
  Cell* chunk = chunks_[opened];
  Info& info = infos_[opened];
  if (opened == chunk_count_) {
    chunk_count_++;
  } else {
    given_back_--;
    memory_.TakeBack(info.given);
    for (uint32_t i = 0; i < kChunkSize; i++) {
      chunk[i].generation = info.base;
      chunk[i].key = 0;
    }
  }
  info = {.free_head = kNone, .free = kChunkSize, .emptied = searches_, .is_open = true};
  // Lowest cell first, so that a run of new ones walks memory forwards.
  const uint32_t first = opened << kChunkShift;
  for (uint32_t i = kChunkSize; i-- > 0;) {
    chunk[i].link = info.free_head;
    info.free_head = first + i;
  }
  free_count_ += kChunkSize;
  empty_++;
  with_free_[opened >> 6] |= uint64_t{1} << (opened & 63);
  lowest_ = std::min(lowest_, opened);
}

uint32_t CellTable::FirstGivenBack() const {
  uint32_t i = 0;
  while (infos_[i].is_open) i++;
  return i;
}

// There is one: the table is not full.
uint32_t CellTable::FirstWithFree() {
  uint32_t word = lowest_ >> 6;
  while (with_free_[word] == 0) word++;
  lowest_ = (word << 6) + static_cast<uint32_t>(std::countr_zero(with_free_[word]));
  return lowest_;
}

uint32_t CellTable::GiveBack() {
  if (!idle()) {
    give_next_ = 0;
    return kNone;
  }
  if (give_next_ == 0) give_next_ = chunk_count_;
  while (give_next_ > 0) {
    const uint32_t i = --give_next_;
    Info& info = infos_[i];
    if (!info.empty() || info.emptied == searches_) continue;
    uint32_t base = 0;
    for (uint32_t j = 0; j < kChunkSize; j++) base = std::max(base, chunks_[i][j].generation);
    // One that is nearly used up would be so in all of its cells.
    if (base > max_generation_ / 2) continue;
    info.base = base;
    info.given = memory_.GiveBack(chunks_[i], kChunkSize);
    info.is_open = false;
    with_free_[i >> 6] &= ~(uint64_t{1} << (i & 63));
    free_count_ -= kChunkSize;
    given_back_++;
    empty_--;
    return i;
  }
  return kNone;
}

uint32_t CellTable::Occupy(v8::Isolate* isolate, v8::Local<v8::Value> target) {
  const uint32_t chunk = FirstWithFree();
  Info& info = infos_[chunk];
  const uint32_t i = info.free_head;
  Cell& fresh = cell(i);
  info.free_head = static_cast<uint32_t>(fresh.link);
  if (info.free == kChunkSize) empty_--;
  if (--info.free == 0) with_free_[chunk >> 6] &= ~(uint64_t{1} << (chunk & 63));
  info.live++;
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
  const uint32_t chunk = i >> kChunkShift;
  Info& info = infos_[chunk];
  if (freed.generation >= max_generation_) {
    // Generation and cell name one target for ever: a cell that has used up its generations is never used again.
    retired_++;
    freed.link = kNone;
    return;
  }
  freed.link = info.free_head;
  info.free_head = i;
  free_count_++;
  if (info.free++ == 0) {
    with_free_[chunk >> 6] |= uint64_t{1} << (chunk & 63);
    lowest_ = std::min(lowest_, chunk);
  }
  if (info.free == kChunkSize) {
    info.emptied = searches_;
    empty_++;
  }
}

void CellTable::Discard(uint32_t i) {
  Cell& discarded = cell(i);
  discarded.target.Reset();
  discarded.target.~Global();
  discarded.generation++;
  live_--;
  infos_[i >> kChunkShift].live--;
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
  infos_[i >> kChunkShift].live--;
  Append(dead, i);
}

bool CellTable::CollectDead(bool all, CellList* dead) {
  const uint32_t before = dead->size;
  if (all) searches_++;
  // If the prologue of this GC was skipped, V8 being inside another's callbacks, an older search is merged into this one.
  if (all || young_incomplete_ > 0) StartSearch();
  if (young_incomplete_ > 0) young_incomplete_--;
  ScanYoung(dead);
  return searching() || dead->size != before;
}

void CellTable::SearchAll() {
  search_next_ = 0;
  search_end_ = capacity();
}

// The first cell from `i` on whose chunk has live ones, or the end.
uint32_t CellTable::SkipEmpty(uint32_t i) const {
  while ((i & (kChunkSize - 1)) == 0 && i < search_end_ && infos_[i >> kChunkShift].live == 0) i += kChunkSize;
  return std::min(i, search_end_);
}

// Up to the first dead cell.
void CellTable::StartSearch() {
  SearchAll();
  for (search_next_ = SkipEmpty(0); search_next_ < search_end_; search_next_ = SkipEmpty(search_next_ + 1)) {
    const Cell& seen = cell(search_next_);
    if (seen.live() && seen.target.IsEmpty()) return;
  }
}

void CellTable::Continue(CellList* dead, uint32_t enough, uint32_t cells) {
  search_next_ = SkipEmpty(search_next_);
  const uint32_t end = cells < search_end_ - search_next_ ? search_next_ + cells : search_end_;
  while (search_next_ < end && dead->size < enough) {
    const uint32_t i = search_next_;
    const Cell& seen = cell(i);
    if (seen.live() && seen.target.IsEmpty()) Die(i, dead);
    search_next_ = SkipEmpty(i + 1);
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
    infos_[i >> kChunkShift].live--;
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
  uint32_t free = 0;
  uint32_t empty = 0;
  uint32_t given_back = 0;
  for (uint32_t chunk = 0; chunk < chunk_count_; chunk++) {
    const Info& info = infos_[chunk];
    const bool told = (with_free_[chunk >> 6] >> (chunk & 63) & 1) != 0;
    uint32_t lives = 0;
    for (uint32_t i = 0; i < kChunkSize; i++) lives += chunks_[chunk][i].live() ? 1 : 0;
    if (lives != info.live) return "live cells of a chunk are miscounted";
    live += lives;
    if (!info.is_open) {
      given_back++;
      if (told || lives > 0) return "a chunk that was given back is in use";
      continue;
    }
    uint32_t frees = 0;
    for (uint32_t i = info.free_head; i != kNone; i = static_cast<uint32_t>(cell(i).link)) {
      if (i >> kChunkShift != chunk || cell(i).live() || ++frees > info.free) return "a free list is broken";
    }
    if (frees != info.free || told != (frees > 0) || (told && chunk < lowest_))
      return "free cells of a chunk are miscounted";
    free += frees;
    empty += info.empty() ? 1 : 0;
  }
  if (live != live_) return "live cells are miscounted";
  if (free != free_count_) return "free cells are miscounted";
  if (empty != empty_ || given_back != given_back_) return "empty chunks are miscounted";
  if (dead != this->dead()) return "a cell is in no state at all";
  return nullptr;
}

}  // namespace weakly
