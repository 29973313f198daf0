// Plain memory that may be refused and is counted. Knows no V8.
//
// node-gyp compiles without C++ exceptions, so a failing `new` ends the process. What grows with the user's data is
// allocated here instead: a refusal comes back as nullptr and becomes a coded error in JavaScript. The count must be
// zero when an environment has closed; the lifecycle tests read it.

#ifndef WEAKLY_MEMORY_H_
#define WEAKLY_MEMORY_H_

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

namespace weakly {

// Asks the processor for a line that will be written soon; may do nothing.
inline void Prefetch(const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address, 1);
#else
  static_cast<void>(address);
#endif
}

class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Zeroed, or nullptr.
  template <typename T>
  T* Allocate(size_t count) {
    if (Refused()) return nullptr;
    void* block;
    if constexpr (kOverAligned<T>) {
      block = ::operator new(count * sizeof(T), std::align_val_t{alignof(T)}, std::nothrow);
      if (block != nullptr) std::memset(block, 0, count * sizeof(T));
    } else {
      block = std::calloc(count, sizeof(T));
    }
    if (block != nullptr) bytes_ += count * sizeof(T);
    return static_cast<T*>(block);
  }

  // Keeps the contents; nullptr leaves the old block as it was.
  template <typename T>
  T* Resize(T* old, size_t old_count, size_t count) {
    static_assert(!kOverAligned<T>, "realloc would lose the alignment");
    if (Refused()) return nullptr;
    void* block = std::realloc(static_cast<void*>(old), count * sizeof(T));
    if (block != nullptr) bytes_ += (count - old_count) * sizeof(T);
    return static_cast<T*>(block);
  }

  template <typename T>
  void Free(T* block, size_t count) {
    if (block == nullptr) return;
    bytes_ -= count * sizeof(T);
    // The allocator may keep a large block for ever; its pages need not stay with it.
    if (count * sizeof(T) >= kLarge) DropPages(block, count * sizeof(T));
    if constexpr (kOverAligned<T>) {
      ::operator delete(static_cast<void*>(block), std::align_val_t{alignof(T)});
    } else {
      std::free(static_cast<void*>(block));
    }
  }

  // Gives the pages of a block back to the system, and keeps its addresses: what is read there is zero, or what it was at
  // its edges. Returns the bytes that are not counted any more, for TakeBack() before it is written to again.
  template <typename T>
  size_t GiveBack(T* block, size_t count) {
    const size_t given = DropPages(block, count * sizeof(T));
    bytes_ -= given;
    return given;
  }
  void TakeBack(size_t given) { bytes_ += given; }

  size_t bytes() const { return bytes_; }

  // For tests: refuse the next `count` requests.
  void RefuseNext(uint32_t count) { refusals_ = count; }

 private:
  template <typename T>
  static constexpr bool kOverAligned = alignof(T) > alignof(std::max_align_t);

  static constexpr size_t kLarge = size_t{1} << 14;

  // Whole pages inside of the block; elsewhere than on Linux none.
  static size_t DropPages(void* block, size_t bytes) {
#if defined(__linux__)
    static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    const uintptr_t first = (reinterpret_cast<uintptr_t>(block) + page - 1) & ~(page - 1);
    const uintptr_t last = (reinterpret_cast<uintptr_t>(block) + bytes) & ~(page - 1);
    if (first >= last || madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED) != 0) return 0;
    return last - first;
#else
    return 0;
#endif
  }

  bool Refused() {
    if (refusals_ == 0) [[likely]]
      return false;
    refusals_--;
    return true;
  }

  size_t bytes_ = 0;
  uint32_t refusals_ = 0;
};

// A growable list of plain values. Push() may be refused; nothing else allocates.
template <typename T>
class Vector {
 public:
  explicit Vector(Memory& memory) : memory_(memory) {}
  ~Vector() { memory_.Free(items_, capacity_); }
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;

  bool Push(const T& item) {
    if (size_ == capacity_ && !Reserve(capacity_ == 0 ? kFirst : capacity_ * 2)) return false;
    items_[size_++] = item;
    return true;
  }

  T& operator[](size_t i) { return items_[i]; }
  const T& operator[](size_t i) const { return items_[i]; }
  T& back() { return items_[size_ - 1]; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void Truncate(size_t size) { size_ = size; }

  void DropFront(size_t count) {
    if (count == size_) return Clear();
    size_ -= count;
    std::memmove(static_cast<void*>(items_), items_ + count, size_ * sizeof(T));
  }

  // A burst must not hold its peak for ever. Something is kept: who has had room once, has it again.
  void Clear() {
    size_ = 0;
    if (capacity_ > kKeep) Reserve(kFirst);
  }

  // Room for a few items that no Push() will be refused.
  bool Prepare() { return capacity_ > 0 || Reserve(kFirst); }

  void Swap(Vector& other) {
    T* items = items_;
    size_t size = size_;
    size_t capacity = capacity_;
    items_ = other.items_;
    size_ = other.size_;
    capacity_ = other.capacity_;
    other.items_ = items;
    other.size_ = size;
    other.capacity_ = capacity;
  }

 private:
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr size_t kFirst = 256;
  static constexpr size_t kKeep = size_t{1} << 14;

  bool Reserve(size_t capacity) {
    T* items = memory_.Resize(items_, capacity_, capacity);
    if (items == nullptr) return false;
    items_ = items;
    capacity_ = capacity;
    return true;
  }

  Memory& memory_;
  T* items_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

using CellVector = Vector<uint32_t>;

}  // namespace weakly

#endif  // WEAKLY_MEMORY_H_
