#include "slot_table.h"

namespace weakly {

namespace {

// A job that makes pointers and never yields to the event loop has to reclaim what dies meanwhile, and soon: what
// JavaScript holds for a dead slot would be promoted by the next minor GC but one. So every so many new slots, while so
// many are dead, a batch comes first.
constexpr uint32_t kReclaimEvery = 128;
constexpr uint32_t kReclaimFrom = 512;

}  // namespace

uint32_t SlotTable::Acquire(v8::Isolate* isolate, v8::Local<v8::Value> target, uint32_t hash) {
  const uint32_t known = index_.Find(hash, [&](uint32_t slot) {
    const Cell& found = cells_.cell(slot);
    return found.live() && found.target == target;
  });
  if (known != kNone) {
    guesses_.Note(target, known);
    return known;
  }
  if (cells_.full() || ShouldReclaimFirst()) return kNone;
  const uint32_t slot = cells_.Occupy(isolate, target);
  cells_.cell(slot).key = hash;
  index_.Insert(slot);
  guesses_.Note(target, slot);
  return slot;
}

// The links last: should they be refused, the next attempt finds the cells here.
bool SlotTable::Reserve() {
  if (!cells_.Reserve() || !next_.Reserve(cells_.reserved())) return false;
  guesses_.Fit(cells_.resident());
  return true;
}

uint32_t SlotTable::GiveBack() {
  const uint32_t chunk = cells_.GiveBack();
  if (chunk != kNone) {
    next_.Drop(chunk);
    guesses_.Fit(cells_.resident());
  }
  return chunk;
}

bool SlotTable::ShouldReclaimFirst() {
  return (cells_.dead() >= kReclaimFrom || cells_.searching()) && ++acquired_ % kReclaimEvery == 0;
}

void SlotTable::Release(uint32_t slot) {
  index_.Remove(slot);
  cells_.Free(slot);
}

const char* SlotTable::Verify(const CellList& dead, uint32_t taken) const {
  if (const char* broken = cells_.Verify(dead.size + taken)) return broken;

  uint32_t queued = 0;
  uint32_t last = kNone;
  for (uint32_t slot = dead.head; slot != kNone; slot = static_cast<uint32_t>(cells_.cell(slot).link)) {
    if (slot >= cells_.capacity() || cells_.cell(slot).live() || ++queued > dead.size) return "the dead list is broken";
    last = slot;
  }
  if (queued != dead.size || last != dead.tail) return "dead slots are miscounted";

  bool broken = false;
  const uint32_t indexed = index_.Verify(cells_.capacity(), [&] { broken = true; });
  if (broken) return "a bucket of the identity index is broken";
  if (indexed != index_.count()) return "the identity index is miscounted";
  if (indexed != cells_.live() + dead.size + taken)
    return "the identity index does not hold exactly the live and the dead";
  return nullptr;
}

}  // namespace weakly
