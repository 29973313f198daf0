#include "reclaim_queue.h"

namespace weakly {

namespace {

// Cells that one call looks at, some half a millisecond: callers measure their time between calls.
constexpr uint32_t kSearchStep = 1u << 18;

}  // namespace

ReclaimQueue::~ReclaimQueue() {
  memory_.Free(batch_, kBatch);
  memory_.Free(batch_time_, 1);
}

bool ReclaimQueue::Init(uv_loop_t* loop, WakeCallback wake, void* data) {
  batch_ = memory_.Allocate<uint32_t>(kBatch);
  batch_time_ = memory_.Allocate<double>(1);
  if (batch_ == nullptr || batch_time_ == nullptr) return false;
  if (uv_async_init(loop, &async_, wake) != 0) return false;
  async_.data = data;
  // Bookkeeping must never keep a process alive that has nothing else to do.
  uv_unref(reinterpret_cast<uv_handle_t*>(&async_));
  open_ = true;
  return true;
}

void ReclaimQueue::Close(uv_close_cb closed) {
  open_ = false;
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), closed);
}

void ReclaimQueue::OnGc(bool major) {
  const uint32_t before = dead_.size;
  const bool found = slots_.CollectDead(major, &dead_);
  if (!found) return;
  // An older search that this GC cut short: its deaths are known by now, or belong to this one.
  if (end_group_ > first_group_ && groups_[(end_group_ - 1) % kGroups].until == kOpen)
    groups_[(end_group_ - 1) % kGroups].until = deaths_;
  if (end_group_ - first_group_ == kGroups) end_group_--;
  groups_[end_group_++ % kGroups] = {static_cast<double>(uv_hrtime()), kOpen};
  Count(before);
  Wake();
}

// After dead slots were appended. The last group is open until the search that fills it has ended.
void ReclaimQueue::Count(uint32_t before) {
  deaths_ += dead_.size - before;
  if (end_group_ > first_group_ && !slots_.searching()) groups_[(end_group_ - 1) % kGroups].until = deaths_;
  CloseEmptyGroups();
}

void ReclaimQueue::CloseEmptyGroups() {
  while (first_group_ < end_group_ && groups_[first_group_ % kGroups].until <= taken_total_) first_group_++;
}

void ReclaimQueue::Finish() {
  if (!slots_.searching()) return;
  const uint32_t before = dead_.size;
  slots_.Finish(&dead_);
  Count(before);
}

void ReclaimQueue::Hold(bool hold) {
  if (!open_) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&async_);
  hold ? uv_ref(handle) : uv_unref(handle);
}

void ReclaimQueue::Wake() {
  if (!open_) return;
  wakeups_++;
  uv_async_send(&async_);
}

int32_t ReclaimQueue::Take() {
  if (taken_ > 0) return static_cast<int32_t>(taken_);
  if (dead_.size < kBatch && slots_.searching()) {
    const uint32_t before = dead_.size;
    slots_.Continue(&dead_, kBatch, kSearchStep);
    Count(before);
  }
  if (dead_.size == 0) return slots_.searching() ? -1 : 0;
  const Group& group = groups_[first_group_ % kGroups];
  *batch_time_ = group.time;
  while (taken_ < kBatch && dead_.size > 0 && taken_total_ < group.until) {
    batch_[taken_++] = slots_.Pop(&dead_);
    taken_total_++;
  }
  CloseEmptyGroups();
  return static_cast<int32_t>(taken_);
}

void ReclaimQueue::Release() {
  for (uint32_t i = 0; i < taken_; i++) slots_.Release(batch_[i]);
  taken_ = 0;
}

}  // namespace weakly
