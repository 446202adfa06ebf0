#include "pin/pin_plan.h"

#include <algorithm>
#include <set>

namespace asl {

PinPlan plan_pins(const LogState& state, const DomainId& domain, const PinRanges& ranges,
                  std::span<const HeldPin> found) {
  PinPlan plan;
  std::set<std::uint64_t> pinned;
  for (const HeldPin& held : found) {
    const auto pin = parse_pin_name(domain, held.name);
    if (!pin) continue;
    const SnapshotState* snapshot = state.find_snapshot(pin->snapshot_id);
    const bool known = snapshot != nullptr && pin_of(snapshot->id, snapshot->reference) == *pin;
    auto& list = !known ? plan.strangers : snapshot->forgotten ? plan.forgotten : plan.good;
    list.push_back({.pin = *pin, .held = held});
    if (known) pinned.insert(pin->snapshot_id);
  }
  for (const auto& [id, snapshot] : state.snapshots()) {
    if (snapshot.forgotten || pinned.contains(id) || !ranges.contains(id)) continue;
    const PinName pin = pin_of(id, snapshot.reference);
    plan.missing.push_back({.pin = pin, .held = {.name = to_text(domain, pin), .held = false}});
  }
  for (auto* list : {&plan.good, &plan.forgotten, &plan.strangers})
    std::ranges::sort(*list, {}, &PinPlan::Item::pin);
  return plan;
}

}  // namespace asl
