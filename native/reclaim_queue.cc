#include "reclaim_queue.h"

#include <algorithm>

namespace weakly {

namespace {

// Cells that one call looks at, some half a millisecond: callers measure their time between calls.
constexpr uint32_t kSearchStep = 1u << 18;

}  // namespace

ReclaimQueue::~ReclaimQueue() { memory_.Free(shared_, kBatch); }

bool ReclaimQueue::Init(uv_loop_t* loop, WakeCallback wake, void* data) {
  shared_ = memory_.Allocate<uint32_t>(kBatch);
  if (shared_ == nullptr) return false;
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

bool ReclaimQueue::OnGc(bool all) {
  const uint32_t before = dead_.size;
  const bool found = slots_.cells().CollectDead(all, &dead_);
  deaths_ += dead_.size - before;
  return found;
}

void ReclaimQueue::Finish() {
  const uint32_t before = dead_.size;
  slots_.cells().Continue(&dead_, CellTable::kNone, CellTable::kNone);
  deaths_ += dead_.size - before;
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
  const bool searched = dead_.size < kBatch && slots_.cells().searching();
  if (searched) {
    const uint32_t before = dead_.size;
    slots_.cells().Continue(&dead_, kBatch, kSearchStep);
    deaths_ += dead_.size - before;
  }
  // Not 0 where that was the search's last step: who was refused because of it would let the table grow, which has room.
  if (dead_.size == 0) return searched ? -1 : 0;
  while (taken_ < kBatch && dead_.size > 0) batch_[taken_++] = slots_.cells().Pop(&dead_);
  std::copy_n(batch_, taken_, shared_);
  return static_cast<int32_t>(taken_);
}

void ReclaimQueue::Release() {
  for (uint32_t i = 0; i < taken_; i++) slots_.Release(batch_[i]);
  taken_ = 0;
}

}  // namespace weakly
