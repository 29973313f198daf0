// Which slot a target probably has, by where it lies. A guess costs a third of a search by identity hash, and is never
// believed: the cell tells whose it is. When a GC has moved a target, it is found by its hash, and noted anew.
//
// What was made in a row lies in a row, and so do its guesses: a line of the processor's cache has those of 512 bytes of the
// heap, one for each 32. The lines are spread by a hash of the address. Without that, parts of two pages of the heap share
// their lines, as the pages happen to lie: half of the guesses about 10 000 targets were wrong in some runs, and none in others.
// A line may be taken even so; then its guess is in a second one.

#ifndef WEAKLY_GUESSES_H_
#define WEAKLY_GUESSES_H_

#include <v8.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "cell_table.h"
#include "memory.h"
#include "v8_compat.h"

namespace weakly {

class Guesses {
 public:
  static constexpr uint32_t kNone = CellTable::kNone;

  Guesses(Memory& memory, const CellTable& cells) : memory_(memory), cells_(cells) {}
  ~Guesses() { Free(); }
  Guesses(const Guesses&) = delete;
  Guesses& operator=(const Guesses&) = delete;

  // Once, before anything else; false when memory was refused.
  bool Init() { return Resize(kFew); }

  // The slot of `target`, or kNone: it is not known here. What is no target is not found.
  uint32_t Find(v8::Local<v8::Value> target) const {
    const uintptr_t address = compat::RawValue(target);
    const uint32_t first = At(First(address));
    // Nothing was ever noted in the second line where the first is free.
    if (first >= cells_.capacity()) return kNone;
    if (Is(first, target)) return first;
    const uint32_t second = At(Second(address));
    return second < cells_.capacity() && Is(second, target) ? second : kNone;
  }

  // `target` has this slot.
  void Note(v8::Local<v8::Value> target, uint32_t slot) {
    const uintptr_t address = compat::RawValue(target);
    const uint32_t first = First(address);
    // If both places are taken, the second changes hands.
    after_[IsOfUse(first) ? Second(address) : first] = slot + 1;
  }

  // Some three for each cell, fewer while there are few chunks, and half as many where there are very many; refused memory: as many
  // as there are.
  void Fit(uint32_t cells) {
    const uint32_t wanted = Wanted(cells);
    if (wanted > count_) static_cast<void>(Resize(wanted));
    if (wanted < count_) Shrink(wanted);
  }

 private:
  static constexpr uint32_t kLineShift = 4;
  static constexpr uint32_t kLine = 1u << kLineShift;
  static constexpr uint32_t kLeast = kLine;
  static constexpr uint32_t kFew = 1u << 12;
  // Of a larger table each line is a miss of the processor's cache, and must be worth its memory.
  static constexpr uint32_t kManyCells = 1u << 18;
  // Of a still larger one the pause would be felt in which it is made, or given back.
  static constexpr uint32_t kMostCells = 1u << 21;

  static uint32_t InLine(uintptr_t address) { return static_cast<uint32_t>(address >> 5) & (kLine - 1); }
  // The slot that is noted at a place, or kNone.
  uint32_t At(uint32_t place) const { return after_[place] - 1; }
  uint32_t In(uint32_t hash, uintptr_t address) const {
    const auto line = static_cast<uint32_t>(uint64_t{hash} * (count_ >> kLineShift) >> 32);
    return line << kLineShift | InLine(address);
  }
  // Cheap. What follows each other is far apart; pages of the heap may meet.
  uint32_t First(uintptr_t address) const { return In(static_cast<uint32_t>(address >> 9) * 0x9E3779B1u, address); }
  // Mixed well: what meets there does not meet here as well.
  uint32_t Second(uintptr_t address) const {
    auto mixed = static_cast<uint32_t>(address >> 9);
    mixed = (mixed ^ mixed >> 9) * 0x85EBCA6Bu;
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35u;
    return In(mixed, address);
  }

  static uint32_t Wanted(uint32_t cells) {
    if (cells > kMostCells) return kLeast;
    if (cells > kManyCells) return std::max(Rounded(3 * kManyCells), Rounded(cells / 2 * 3));
    return Rounded(std::max(3 * cells, kFew));
  }

  // The next power of two, or the middle of two of them.
  static uint32_t Rounded(uint32_t count) {
    const uint32_t power = std::bit_ceil(count);
    return count <= power / 4 * 3 ? power / 4 * 3 : power;
  }

  bool Is(uint32_t slot, v8::Local<v8::Value> target) const {
    const Cell& cell = cells_.cell(slot);
    return cell.live() && cell.target == target;
  }

  // Whether the guess at this place is about a target that lies where it is looked for there.
  bool IsOfUse(uint32_t place) const {
    const uint32_t slot = At(place);
    if (slot >= cells_.capacity()) return false;
    const Cell& cell = cells_.cell(slot);
    if (!cell.live() || cell.target.IsEmpty()) return false;
    const uintptr_t address = compat::RawValue(cell.target);
    return First(address) == place || Second(address) == place;
  }

  // Nothing is guessed at first: zeroes, which a large block has without being written to.
  bool Resize(uint32_t count) {
    uint32_t* after = memory_.Allocate<uint32_t>(count);
    if (after == nullptr) return false;
    Free();
    after_ = after;
    count_ = allocated_ = count;
    return true;
  }

  // Where it is, as another block would have to be written to. What is left is wrong for most places, as any guess may be.
  void Shrink(uint32_t count) {
    given_ += memory_.GiveBack(after_ + count, count_ - count);
    count_ = count;
  }

  void Free() {
    memory_.TakeBack(given_);
    given_ = 0;
    memory_.Free(after_, allocated_);
  }

  Memory& memory_;
  const CellTable& cells_;
  // One more than the slot; 0: none.
  uint32_t* after_ = nullptr;
  uint32_t count_ = 0;
  // Of which those from `count_` on have been given back, but for parts of pages.
  uint32_t allocated_ = 0;
  size_t given_ = 0;
};

}  // namespace weakly

#endif  // WEAKLY_GUESSES_H_
