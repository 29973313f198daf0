// Identity hash -> slots, by linear hashing over buckets of one cache line. Knows no V8.
//
// Why not one open-addressing array: it has to be rebuilt when it grows, and for a million entries that is a pause of
// tens of milliseconds in the middle of some unlucky make(). Linear hashing splits one bucket per few insertions instead.
// Hashes are random, so in a large index every bucket touched is a cache miss, which costs more than all the rest:
// - a bucket is one line, with a tag beside each slot that tells most strangers without touching their cells, and is all
//   that a split needs to know;
// - a bit per possible hash says of most new targets that they are not in the index, without looking there;
// - what is inserted waits in a short queue until its line has arrived.
//
// V8's identity hashes have about 21 bits: beyond two million entries some share all of them, and beyond twenty million
// the lines overflow into chains, which lengthen by one for every further two million. The price of identity hashes.
//
// When most of it has gone, buckets are merged again, one per removal, and their pages freed.
//
// `Store` gives each slot a hash() and a next() that the chains of overflowing buckets run through.

#ifndef WEAKLY_IDENTITY_INDEX_H_
#define WEAKLY_IDENTITY_INDEX_H_

#include <bit>
#include <cstdint>

#include "memory.h"

namespace weakly {

template <typename Store>
class IdentityIndex {
 public:
  static constexpr uint32_t kEnd = 0xFFFFFFFFu;

  IdentityIndex(Memory& memory, Store& store) : memory_(memory), store_(store) {}
  ~IdentityIndex() {
    memory_.Free(present_, kWords);
    for (uint32_t i = 0; i < pages_allocated_; i++) memory_.Free(pages_[i], kPageSize);
  }
  IdentityIndex(const IdentityIndex&) = delete;
  IdentityIndex& operator=(const IdentityIndex&) = delete;

  // Once, before anything else; false when memory was refused.
  bool Init() { return AddPage(); }

  // The slot with this hash of which `is` says that it is the one, or kEnd. `is` may be asked about others, too.
  template <typename Is>
  uint32_t Find(uint32_t hash, Is is) const {
    if (present_ != nullptr && !Present(hash)) return kEnd;
    const Bucket& bucket = At(BucketOf(hash));
    // All tags at once, without a branch for each: which place it is cannot be predicted.
    uint32_t same = 0;
    for (uint32_t i = 0; i < kLine; i++) same |= static_cast<uint32_t>(bucket.tags[i] == Tag(hash)) << i;
    for (same &= (1u << bucket.size) - 1; same != 0; same &= same - 1) {
      const uint32_t slot = bucket.slots[std::countr_zero(same)];
      if (is(slot)) return slot;
    }
    for (const Waiting& waiting : waiting_) {
      if (waiting.hash == hash && waiting.slot != kEnd && is(waiting.slot)) return waiting.slot;
    }
    for (uint32_t slot = bucket.overflow; slot != kEnd; slot = store_.next(slot)) {
      if (is(slot)) return slot;
    }
    return kEnd;
  }

  // Needs no memory of its own: without room for a split, buckets overflow until a later one finds some.
  void Insert(uint32_t slot) {
    if (count_ >= buckets() * kLoad) Split();
    if (count_ == kFilterFrom) StartFilter();
    const uint32_t hash = store_.hash(slot);
    if (present_ != nullptr) present_[Word(hash)] |= Bit(hash);
    Prefetch(&At(BucketOf(hash)));
    Waiting& turn = waiting_[count_ % kWaiting];
    Place(turn);
    turn = {slot, hash};
    count_++;
  }

  // `slot` must be in the index.
  void Remove(uint32_t slot) {
    for (Waiting& waiting : waiting_) Place(waiting);
    const uint32_t hash = store_.hash(slot);
    Bucket& bucket = At(BucketOf(hash));
    count_--;
    Drop(bucket, slot);
    if (present_ != nullptr && !Shares(bucket, Tag(hash))) present_[Word(hash)] &= ~Bit(hash);
    if (count_ < buckets() * kSparse / 2) Merge();
    if (count_ < kFilterFrom / 4 && present_ != nullptr) {
      memory_.Free(present_, kWords);
      present_ = nullptr;
    }
  }

  uint32_t buckets() const { return (1u << level_) + split_; }
  uint32_t count() const { return count_; }

  // Counts the slots that are where they belong; calls `broken` for any other. For tests: walks everything.
  template <typename Broken>
  uint32_t Verify(uint32_t capacity, Broken broken) const {
    uint32_t found = 0;
    const auto told = [&](uint32_t slot) { return present_ == nullptr || Present(store_.hash(slot)); };
    for (const Waiting& waiting : waiting_) {
      if (waiting.slot == kEnd) continue;
      if (waiting.slot >= capacity || store_.hash(waiting.slot) != waiting.hash || !told(waiting.slot)) broken();
      found++;
    }
    for (uint32_t b = 0; b < buckets(); b++) {
      const Bucket& bucket = At(b);
      const auto check = [&](uint32_t slot) {
        return slot < capacity && BucketOf(store_.hash(slot)) == b && told(slot);
      };
      if (bucket.size > kLine || (bucket.size < kLine && bucket.overflow != kEnd)) broken();
      for (uint32_t i = 0; i < bucket.size && i < kLine; i++, found++) {
        if (!check(bucket.slots[i]) || bucket.tags[i] != Tag(store_.hash(bucket.slots[i]))) broken();
      }
      for (uint32_t slot = bucket.overflow; slot != kEnd; slot = store_.next(slot), found++) {
        if (found > count_ || !check(slot)) {
          broken();
          return found;
        }
      }
    }
    return found;
  }

 private:
  static constexpr uint32_t kLine = 9;    // slots per line
  static constexpr uint32_t kLoad = 6;    // slots per bucket from which on buckets are split
  static constexpr uint32_t kSparse = 3;  // half of those below which they are merged
  static constexpr uint32_t kWaiting = 8;
  // A smaller index fits a processor's cache; 256 KB for a filter would be more than all of it.
  static constexpr uint32_t kFilterFrom = 1u << 15;
  static constexpr uint32_t kPageShift = 9;
  static constexpr uint32_t kPageSize = 1u << kPageShift;
  static constexpr uint32_t kMinLevel = 8;
  static constexpr uint32_t kMaxLevel = 21;
  static constexpr uint32_t kMaxPages = 1u << (kMaxLevel - kPageShift);

  struct alignas(64) Bucket {
    uint32_t slots[kLine];
    uint32_t overflow;     // kEnd, unless all of the line is taken
    uint16_t tags[kLine];  // the bits of the hash above those that every slot of the bucket shares
    uint16_t size;
  };
  static_assert(sizeof(Bucket) == 64);

  struct Waiting {
    uint32_t slot = kEnd;
    uint32_t hash = 0;
  };

  // The filter: one bit for each value of the lowest kMaxLevel bits of a hash. Set: it may be there.
  static constexpr uint32_t kWords = 1u << (kMaxLevel - 6);
  static uint32_t Word(uint32_t hash) { return (hash & ((1u << kMaxLevel) - 1)) >> 6; }
  static uint64_t Bit(uint32_t hash) { return uint64_t{1} << (hash & 63); }
  bool Present(uint32_t hash) const { return (present_[Word(hash)] & Bit(hash)) != 0; }

  // Refused memory: then every search looks into its bucket.
  void StartFilter() {
    if (present_ != nullptr) return;
    present_ = memory_.template Allocate<uint64_t>(kWords);
    if (present_ == nullptr) return;
    for (const Waiting& waiting : waiting_) {
      if (waiting.slot != kEnd) present_[Word(waiting.hash)] |= Bit(waiting.hash);
    }
    const auto add = [this](uint32_t slot) {
      const uint32_t hash = store_.hash(slot);
      present_[Word(hash)] |= Bit(hash);
    };
    for (uint32_t b = 0; b < buckets(); b++) {
      const Bucket& bucket = At(b);
      for (uint32_t i = 0; i < bucket.size; i++) add(bucket.slots[i]);
      for (uint32_t slot = bucket.overflow; slot != kEnd; slot = store_.next(slot)) add(slot);
    }
  }

  // Whether the filter's bit of this tag may be needed by another slot of the bucket.
  static bool Shares(const Bucket& bucket, uint16_t tag) {
    constexpr uint16_t kFiltered = (1u << (kMaxLevel - kMinLevel)) - 1;
    if (bucket.overflow != kEnd) return true;
    for (uint32_t i = 0; i < bucket.size; i++) {
      if (((bucket.tags[i] ^ tag) & kFiltered) == 0) return true;
    }
    return false;
  }

  static uint16_t Tag(uint32_t hash) { return static_cast<uint16_t>(hash >> kMinLevel); }
  static_assert(kMaxLevel - kMinLevel < 16, "a split must find its bit in the tag");

  Bucket& At(uint32_t bucket) { return pages_[bucket >> kPageShift][bucket & (kPageSize - 1)]; }
  const Bucket& At(uint32_t bucket) const { return pages_[bucket >> kPageShift][bucket & (kPageSize - 1)]; }

  uint32_t BucketOf(uint32_t hash) const {
    const uint32_t bucket = hash & ((1u << level_) - 1);
    return bucket < split_ ? hash & ((2u << level_) - 1) : bucket;
  }

  bool AddPage() {
    Bucket* page = memory_.template Allocate<Bucket>(kPageSize);
    if (page == nullptr) return false;
    for (uint32_t i = 0; i < kPageSize; i++) page[i].overflow = kEnd;
    pages_[pages_allocated_++] = page;
    return true;
  }

  void Place(Waiting& waiting) {
    if (waiting.slot == kEnd) return;
    Put(At(BucketOf(waiting.hash)), waiting.slot, Tag(waiting.hash));
    waiting.slot = kEnd;
  }

  void Put(Bucket& bucket, uint32_t slot, uint16_t tag) {
    if (bucket.size < kLine) {
      bucket.slots[bucket.size] = slot;
      bucket.tags[bucket.size++] = tag;
    } else {
      store_.next(slot) = bucket.overflow;
      bucket.overflow = slot;
    }
  }

  void Drop(Bucket& bucket, uint32_t slot) {
    for (uint32_t i = 0; i < bucket.size; i++) {
      if (bucket.slots[i] == slot) return Fill(bucket, i);
    }
    uint32_t* link = &bucket.overflow;
    while (*link != slot) link = &store_.next(*link);
    *link = store_.next(slot);
  }

  // Entry i has left: its place goes to an overflowing slot, else to the last of the line.
  void Fill(Bucket& bucket, uint32_t i) {
    if (bucket.overflow != kEnd) {
      const uint32_t slot = bucket.overflow;
      bucket.overflow = store_.next(slot);
      bucket.slots[i] = slot;
      bucket.tags[i] = Tag(store_.hash(slot));
      return;
    }
    bucket.size--;
    bucket.slots[i] = bucket.slots[bucket.size];
    bucket.tags[i] = bucket.tags[bucket.size];
  }

  // The reverse of a split.
  void Merge() {
    if (split_ == 0) {
      if (level_ == kMinLevel) return;
      level_--;
      split_ = 1u << level_;
    }
    split_--;
    Bucket& low = At(split_);
    Bucket& high = At(buckets());
    for (uint32_t i = 0; i < high.size; i++) Put(low, high.slots[i], high.tags[i]);
    for (uint32_t slot = high.overflow; slot != kEnd;) {
      const uint32_t next = store_.next(slot);
      Put(low, slot, Tag(store_.hash(slot)));
      slot = next;
    }
    high.size = 0;
    high.overflow = kEnd;
    // Not the last but one: the next split would want it back.
    const uint32_t needed = ((buckets() - 1) >> kPageShift) + 1;
    if (pages_allocated_ <= needed + 1) return;
    memory_.Free(pages_[--pages_allocated_], kPageSize);
  }

  // Refused memory is no error here: buckets just overflow more until the next attempt.
  void Split() {
    if (level_ == kMaxLevel) return;
    const uint32_t fresh = buckets();
    if ((fresh >> kPageShift) >= pages_allocated_ && !AddPage()) return;
    Bucket& low = At(split_);
    Bucket& high = At(fresh);
    const uint32_t bit = 1u << (level_ - kMinLevel);
    uint32_t overflow = low.overflow;
    low.overflow = kEnd;
    uint16_t stay = 0;
    for (uint32_t i = 0; i < low.size; i++) {
      if ((low.tags[i] & bit) != 0) {
        high.slots[high.size] = low.slots[i];
        high.tags[high.size++] = low.tags[i];
      } else {
        low.slots[stay] = low.slots[i];
        low.tags[stay++] = low.tags[i];
      }
    }
    low.size = stay;
    while (overflow != kEnd) {
      const uint32_t slot = overflow;
      overflow = store_.next(slot);
      const uint16_t tag = Tag(store_.hash(slot));
      Put((tag & bit) != 0 ? high : low, slot, tag);
    }
    if (++split_ == (1u << level_)) {
      level_++;
      split_ = 0;
    }
    // The next split is a few insertions away.
    Prefetch(&At(split_));
    const uint32_t next = buckets();
    if ((next >> kPageShift) < pages_allocated_) Prefetch(&At(next));
  }

  Memory& memory_;
  Store& store_;
  uint32_t level_ = kMinLevel;
  uint32_t split_ = 0;
  uint32_t count_ = 0;
  uint32_t pages_allocated_ = 0;
  uint64_t* present_ = nullptr;
  Waiting waiting_[kWaiting];
  Bucket* pages_[kMaxPages] = {};
};

}  // namespace weakly

#endif  // WEAKLY_IDENTITY_INDEX_H_
