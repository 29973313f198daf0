// Identity hash -> chain of slots, by linear hashing. Knows no V8.
//
// Why not one open-addressing array: it has to be rebuilt when it grows, and for a million entries that is a pause of
// tens of milliseconds in the middle of some unlucky make(). Linear hashing splits one bucket per insertion instead.
// V8's identity hashes have about 21 bits, so beyond some two million entries more buckets would only stay empty and
// chains lengthen by one for every further two million pointers: the price of identity hashes, not of chaining.
//
// `Store` gives each slot a hash() and a next() that the chains run through.

#ifndef WEAKLY_IDENTITY_INDEX_H_
#define WEAKLY_IDENTITY_INDEX_H_

#include <cstdint>
#include <cstring>

#include "memory.h"

namespace weakly {

template <typename Store>
class IdentityIndex {
 public:
  static constexpr uint32_t kEnd = 0xFFFFFFFFu;

  IdentityIndex(Memory& memory, Store& store) : memory_(memory), store_(store) {}
  ~IdentityIndex() {
    for (uint32_t i = 0; i < pages_allocated_; i++) memory_.Free(pages_[i], kPageSize);
  }
  IdentityIndex(const IdentityIndex&) = delete;
  IdentityIndex& operator=(const IdentityIndex&) = delete;

  // Once, before anything else; false when memory was refused.
  bool Init() { return AddPage(); }

  uint32_t First(uint32_t hash) const { return Head(Bucket(hash)); }

  void Insert(uint32_t slot) {
    if (count_ >= buckets()) Split();
    uint32_t& head = Head(Bucket(store_.hash(slot)));
    store_.next(slot) = head;
    head = slot;
    count_++;
  }

  void Remove(uint32_t slot) {
    uint32_t* link = &Head(Bucket(store_.hash(slot)));
    while (*link != slot) {
      if (*link == kEnd) return;
      link = &store_.next(*link);
    }
    *link = store_.next(slot);
    count_--;
  }

  uint32_t buckets() const { return (1u << level_) + split_; }
  uint32_t count() const { return count_; }
  uint32_t BucketHead(uint32_t bucket) const { return Head(bucket); }
  uint32_t BucketOf(uint32_t hash) const { return Bucket(hash); }

 private:
  static constexpr uint32_t kPageShift = 12;
  static constexpr uint32_t kPageSize = 1u << kPageShift;
  static constexpr uint32_t kMinLevel = 8;
  static constexpr uint32_t kMaxLevel = 21;
  static constexpr uint32_t kMaxPages = 1u << (kMaxLevel - kPageShift);

  uint32_t& Head(uint32_t bucket) { return pages_[bucket >> kPageShift][bucket & (kPageSize - 1)]; }
  const uint32_t& Head(uint32_t bucket) const { return pages_[bucket >> kPageShift][bucket & (kPageSize - 1)]; }

  uint32_t Bucket(uint32_t hash) const {
    const uint32_t bucket = hash & ((1u << level_) - 1);
    return bucket < split_ ? hash & ((2u << level_) - 1) : bucket;
  }

  bool AddPage() {
    uint32_t* page = memory_.template Allocate<uint32_t>(kPageSize);
    if (page == nullptr) return false;
    std::memset(page, 0xFF, kPageSize * sizeof(uint32_t));
    pages_[pages_allocated_++] = page;
    return true;
  }

  // Refused memory is no error here: the chains just stay longer until the next attempt.
  void Split() {
    if (level_ == kMaxLevel) return;
    const uint32_t fresh = buckets();
    if ((fresh >> kPageShift) >= pages_allocated_ && !AddPage()) return;
    const uint32_t bit = 1u << level_;
    uint32_t slot = Head(split_);
    uint32_t* low = &Head(split_);
    uint32_t* high = &Head(fresh);
    while (slot != kEnd) {
      uint32_t** tail = (store_.hash(slot) & bit) != 0 ? &high : &low;
      **tail = slot;
      *tail = &store_.next(slot);
      slot = store_.next(slot);
    }
    *low = kEnd;
    *high = kEnd;
    if (++split_ == bit) {
      level_++;
      split_ = 0;
    }
  }

  Memory& memory_;
  Store& store_;
  uint32_t level_ = kMinLevel;
  uint32_t split_ = 0;
  uint32_t count_ = 0;
  uint32_t pages_allocated_ = 0;
  uint32_t* pages_[kMaxPages] = {};
};

}  // namespace weakly

#endif  // WEAKLY_IDENTITY_INDEX_H_
