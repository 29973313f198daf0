#include "cleanup_queue.h"

#include <uv.h>

#include <algorithm>
#include <array>

namespace weakly {

namespace {

// Cells that one call looks at, and deaths that it sorts into runs, each some half a millisecond: callers measure their
// time between calls. The first to take from a GC's deaths makes one heap of all of their runs, which has no steps: 4 ms for
// 400 000 that were registered in no order at all.
constexpr uint32_t kSearchStep = 1u << 18;
constexpr uint32_t kDeathStep = 1u << 15;

}  // namespace

CleanupQueue::~CleanupQueue() {
  memory_.Free(shared_batch_, kBatch);
  memory_.Free(shared_, kSharedSize);
}

bool CleanupQueue::Init() {
  shared_batch_ = memory_.Allocate<uint32_t>(kBatch);
  shared_ = memory_.Allocate<double>(kSharedSize);
  return shared_batch_ != nullptr && shared_ != nullptr && groups_.Prepare() && runs_.Prepare();
}

uint32_t CleanupQueue::Register(v8::Isolate* isolate, v8::Local<v8::Value> target) {
  if (cells_.full() || (next_place_ == kNone && !Renumber())) return kNone;
  const uint32_t cell = cells_.Occupy(isolate, target);
  cells_.cell(cell).key = next_place_++;
  return cell;
}

// The places have been used up, after four thousand million registrations: the living ones get new ones. Those of the dead
// are compared within their group only, and no group takes in what has a new one.
bool CleanupQueue::Renumber() {
  Finish();
  const uint32_t count = cells_.live();
  if (count > 0) {
    uint32_t* living = memory_.Allocate<uint32_t>(count);
    if (living == nullptr) return false;
    uint32_t found = 0;
    for (uint32_t i = 0; i < cells_.capacity() && found < count; i++) {
      if (cells_.cell(i).live()) living[found++] = i;
    }
    std::sort(living, living + count,
              [this](uint32_t a, uint32_t b) { return cells_.cell(a).key < cells_.cell(b).key; });
    for (uint32_t i = 0; i < count; i++) cells_.cell(living[i]).key = i;
    memory_.Free(living, count);
  }
  next_place_ = count;
  return true;
}

bool CleanupQueue::OnGc(bool all) {
  CellList found;
  if (!cells_.CollectDead(all, &found)) return false;
  AddGroup();
  Add(&found);
  return true;
}

void CleanupQueue::Finish() {
  if (!cells_.searching()) return;
  CellList found;
  cells_.Continue(&found, kNone, kNone);
  Add(&found);
}

// Refused memory: the deaths count as those of the GC before.
void CleanupQueue::AddGroup() {
  static_cast<void>(groups_.Push({static_cast<double>(uv_hrtime()), 0, 0, 0, kNone, false, true}));
  shared_[kOldestTime] = groups_[0].time;
}

void CleanupQueue::Add(CellList* found) {
  shared_[kDeaths] += found->size;
  while (found->size > 0) Add(cells_.Pop(found));
}

void CleanupQueue::Add(uint32_t cell) {
  Cell& added = cells_.cell(cell);
  Group& group = groups_.back();
  group.heaped = false;
  runs_.Truncate(runs_.size() - group.spent);
  group.spent = 0;
  if (group.runs > 0) {
    Run& run = runs_.back();
    if (added.key > cells_.cell(run.tail).key) {
      cells_.cell(run.tail).link = cell;
      added.link = kNone;
      run.tail = cell;
      group.deaths++;
      return;
    }
    if (added.key < run.place) {
      added.link = run.head;
      run = {added.key, cell, run.tail};
      group.deaths++;
      return;
    }
  }
  group.deaths++;
  if (runs_.Push({added.key, cell, cell})) {
    added.link = kNone;
    group.runs++;
  } else {
    added.link = group.rest;
    group.rest = cell;
    group.rest_sorted = false;
  }
}

// Two lists whose places ascend, as one.
uint32_t CleanupQueue::Merged(uint32_t a, uint32_t b) {
  uint32_t head = kNone;
  uint32_t tail = kNone;
  while (a != kNone && b != kNone) {
    uint32_t& first = cells_.cell(a).key < cells_.cell(b).key ? a : b;
    const uint32_t cell = first;
    first = Next(cell);
    if (tail == kNone) {
      head = cell;
    } else {
      cells_.cell(tail).link = cell;
    }
    tail = cell;
  }
  const uint32_t left = a != kNone ? a : b;
  if (tail == kNone) return left;
  cells_.cell(tail).link = left;
  return head;
}

// Merge sort, without memory: list i of `sorted` is kNone or has 2^i cells.
uint32_t CleanupQueue::Sorted(uint32_t list) {
  std::array<uint32_t, 32> sorted;
  sorted.fill(kNone);
  while (list != kNone) {
    uint32_t one = list;
    list = Next(list);
    cells_.cell(one).link = kNone;
    size_t i = 0;
    for (; sorted[i] != kNone; i++) {
      one = Merged(sorted[i], one);
      sorted[i] = kNone;
    }
    sorted[i] = one;
  }
  uint32_t all = kNone;
  for (const uint32_t part : sorted) all = Merged(part, all);
  return all;
}

// Whether there is a group to take from: the last one is none while it is open.
bool CleanupQueue::DropEmptyGroups() {
  size_t empty = 0;
  size_t spent = 0;
  while (empty < groups_.size() && groups_[empty].deaths == 0 && !(empty + 1 == groups_.size() && cells_.searching())) {
    spent += groups_[empty++].spent;
  }
  if (empty > 0) {
    groups_.DropFront(empty);
    runs_.DropFront(spent);
  }
  shared_[kOldestTime] = groups_.empty() ? 0 : groups_[0].time;
  return groups_.size() > 1 || (groups_.size() == 1 && !cells_.searching());
}

int32_t CleanupQueue::Take() {
  if (taken_ > 0) return static_cast<int32_t>(taken_);
  if (!DropEmptyGroups()) {
    if (groups_.empty()) return 0;
    CellList found;
    cells_.Continue(&found, kDeathStep, kSearchStep);
    Add(&found);
    return -1;
  }
  shared_[kBatchTime] = groups_[0].time;
  while (taken_ < kBatch && groups_[0].deaths > 0) batch_[taken_++] = PopFirst();
  std::copy_n(batch_, taken_, shared_batch_);
  DropEmptyGroups();
  return static_cast<int32_t>(taken_);
}

uint32_t CleanupQueue::PopRest(Group& group) {
  const uint32_t cell = group.rest;
  group.rest = Next(cell);
  group.deaths--;
  return cell;
}

uint32_t CleanupQueue::PopFirst() {
  Group& group = groups_[0];
  if (!group.rest_sorted) {
    group.rest = Sorted(group.rest);
    group.rest_sorted = true;
  }
  if (!group.heaped) {
    for (uint32_t i = group.runs / 2; i-- > 0;) SiftDown(i, group.runs);
    group.heaped = true;
  }
  if (group.rest != kNone && (group.runs == 0 || cells_.cell(group.rest).key < runs_[0].place)) return PopRest(group);
  Run& first = runs_[0];
  const uint32_t cell = first.head;
  const uint32_t next = Next(cell);
  group.deaths--;
  if (next == kNone) {
    group.runs--;
    group.spent++;
    first = runs_[group.runs];
  } else {
    first.head = next;
    first.place = cells_.cell(next).key;
  }
  SiftDown(0, group.runs);
  return cell;
}

void CleanupQueue::SiftDown(uint32_t i, uint32_t count) {
  for (;;) {
    uint32_t child = 2 * i + 1;
    if (child >= count) return;
    if (child + 1 < count && runs_[child + 1].place < runs_[child].place) child++;
    if (runs_[i].place < runs_[child].place) return;
    std::swap(runs_[i], runs_[child]);
    i = child;
  }
}

// Last first, so that they are used again in the order in which they were: that makes long runs.
void CleanupQueue::Release() {
  while (taken_ > 0) cells_.Free(batch_[--taken_]);
}

const char* CleanupQueue::Verify() const {
  uint32_t dead = taken_;
  size_t at = 0;
  for (size_t g = 0; g < groups_.size(); g++) {
    const Group& group = groups_[g];
    uint32_t deaths = 0;
    for (size_t r = at; r < at + group.runs; r++) {
      const Run& run = runs_[r];
      if (run.head >= cells_.capacity() || cells_.cell(run.head).key != run.place) return "the head of a run is broken";
      uint32_t last = kNone;
      for (uint32_t cell = run.head; cell != kNone; cell = Next(cell)) {
        if (cell >= cells_.capacity() || cells_.cell(cell).live() || ++deaths > group.deaths) return "a run is broken";
        if (last != kNone && cells_.cell(last).key >= cells_.cell(cell).key) return "a run is out of order";
        last = cell;
      }
      if (last != run.tail) return "the tail of a run is broken";
    }
    for (uint32_t cell = group.rest; cell != kNone; cell = Next(cell)) {
      if (cell >= cells_.capacity() || cells_.cell(cell).live() || ++deaths > group.deaths) return "a rest is broken";
    }
    if (deaths != group.deaths) return "the deaths of a GC are miscounted";
    dead += deaths;
    at += group.runs + group.spent;
  }
  if (at != runs_.size()) return "runs are miscounted";
  return cells_.Verify(dead);
}

}  // namespace weakly
