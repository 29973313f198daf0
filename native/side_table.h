// What a table has of each of its cells besides, in chunks as the cells are. Knows no V8.

#ifndef WEAKLY_SIDE_TABLE_H_
#define WEAKLY_SIDE_TABLE_H_

#include <algorithm>
#include <cstdint>

#include "memory.h"

namespace weakly {

template <typename T, uint32_t kShift>
class SideTable {
 public:
  explicit SideTable(Memory& memory) : memory_(memory) {}
  ~SideTable() {
    for (uint32_t i = 0; i < capacity_; i++) memory_.Free(chunks_[i], kSize);
    memory_.Free(chunks_, capacity_);
  }
  SideTable(const SideTable&) = delete;
  SideTable& operator=(const SideTable&) = delete;

  // Room for the cells of a chunk, zeroed when it is new; false: memory was refused, and everything is as it was.
  bool Reserve(uint32_t chunk) {
    if (chunk >= capacity_) {
      const uint32_t wanted = std::max(16u, std::max(chunk + 1, capacity_ * 2));
      T** chunks = memory_.Resize(chunks_, capacity_, wanted);
      if (chunks == nullptr) return false;
      std::fill(chunks + capacity_, chunks + wanted, nullptr);
      chunks_ = chunks;
      capacity_ = wanted;
    }
    if (chunks_[chunk] == nullptr) chunks_[chunk] = memory_.Allocate<T>(kSize);
    return chunks_[chunk] != nullptr;
  }

  // The cells of a chunk are gone.
  void Drop(uint32_t chunk) {
    memory_.Free(chunks_[chunk], kSize);
    chunks_[chunk] = nullptr;
  }

  T& operator[](uint32_t cell) { return chunks_[cell >> kShift][cell & (kSize - 1)]; }
  const T& operator[](uint32_t cell) const { return chunks_[cell >> kShift][cell & (kSize - 1)]; }

 private:
  static constexpr uint32_t kSize = 1u << kShift;

  Memory& memory_;
  T** chunks_ = nullptr;
  uint32_t capacity_ = 0;
};

}  // namespace weakly

#endif  // WEAKLY_SIDE_TABLE_H_
