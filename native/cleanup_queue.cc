#include "cleanup_queue.h"

#include <uv.h>

#include <algorithm>

namespace weakly {

namespace {

// Cells that one call looks at, and deaths that it sorts into runs, each some half a millisecond: callers measure their
// time between calls.
constexpr uint32_t kSearchStep = 1u << 18;
constexpr uint32_t kDeathStep = 1u << 15;

}  // namespace

CleanupQueue::~CleanupQueue() {
  memory_.Free(batch_, kBatch);
  memory_.Free(shared_, kSharedSize);
}

bool CleanupQueue::Init() {
  batch_ = memory_.Allocate<uint32_t>(kBatch);
  shared_ = memory_.Allocate<double>(kSharedSize);
  return batch_ != nullptr && shared_ != nullptr && groups_.Prepare() && runs_.Prepare();
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

bool CleanupQueue::OnGc(bool major) {
  CellList found;
  if (!cells_.CollectDead(major, &found)) return false;
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
  static_cast<void>(groups_.Push({static_cast<double>(uv_hrtime()), 0, 0, 0, false}));
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
  added.link = kNone;
  if (!runs_.Push({added.key, cell, cell})) return Insert(cell);
  group.runs++;
  group.deaths++;
}

// Refused memory: slow, but in order, into the last run; if that is another group's, the cell counts as that one's.
void CleanupQueue::Insert(uint32_t cell) {
  while (groups_.back().runs == 0) groups_.Truncate(groups_.size() - 1);
  Group& group = groups_.back();
  group.deaths++;
  group.heaped = false;
  runs_.Truncate(runs_.size() - group.spent);
  group.spent = 0;
  Run& run = runs_.back();
  Cell& added = cells_.cell(cell);
  uint32_t before = kNone;
  uint32_t after = run.head;
  while (after != kNone && cells_.cell(after).key < added.key) {
    before = after;
    after = Next(after);
  }
  added.link = after;
  if (after == kNone) run.tail = cell;
  if (before == kNone) {
    run.head = cell;
    run.place = added.key;
  } else {
    cells_.cell(before).link = cell;
  }
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
  DropEmptyGroups();
  return static_cast<int32_t>(taken_);
}

uint32_t CleanupQueue::PopFirst() {
  Group& group = groups_[0];
  if (!group.heaped) {
    for (uint32_t i = group.runs / 2; i-- > 0;) SiftDown(i, group.runs);
    group.heaped = true;
  }
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
    if (deaths != group.deaths) return "the deaths of a GC are miscounted";
    dead += deaths;
    at += group.runs + group.spent;
  }
  if (at != runs_.size()) return "runs are miscounted";
  return cells_.Verify(dead);
}

}  // namespace weakly
