#include <algorithm>
#include <utility>

#include <asl/engine/snapshot_pins.h>

#include "pin/pin_place.h"
#include "pin/pin_plan.h"
#include "store/domain_layout.h"

namespace asl {
namespace {

void add(PinReport& report, const std::vector<PinPlan::Item>& items, PinState state) {
  for (const PinPlan::Item& item : items)
    report.pins.push_back({.snapshot_id = item.pin.snapshot_id, .state = state, .name = item.held.name});
}

void add_sizes(PinReport& report, PinFileSystem& place) {
  std::vector<std::string> names;
  for (const SnapshotPin& pin : report.pins) {
    if (pin.state != PinState::kMissing) names.push_back(pin.name);
  }
  auto sizes = place.sizes(names);
  if (!sizes) {
    report.error = std::move(sizes).error();
    return;
  }
  report.held_back_bytes = sizes->held_back_bytes;
  for (SnapshotPin& pin : report.pins) {
    if (const auto at = sizes->alone_bytes.find(pin.name); at != sizes->alone_bytes.end())
      pin.alone_bytes = at->second;
  }
}

}  // namespace

std::string_view pin_state_name(PinState state) {
  switch (state) {
    case PinState::kPinned:
      return "pinned";
    case PinState::kMissing:
      return "missing";
    case PinState::kForgotten:
      return "forgotten";
    case PinState::kStranger:
      return "stranger";
  }
  return "";
}

const SnapshotPin* PinReport::find(std::uint64_t snapshot_id) const {
  const auto at = std::ranges::find_if(pins, [&](const SnapshotPin& pin) {
    return pin.snapshot_id == snapshot_id &&
           (pin.state == PinState::kPinned || pin.state == PinState::kMissing);
  });
  return at == pins.end() ? nullptr : &*at;
}

PinReport look_at_pins(const Domain& domain, bool sizes) {
  PinReport report;
  const std::string path = DomainLayout(domain.directory()).pins_file();
  const bool used = io::exists(domain.io(), path);
  if (!used && !sizes) return report;
  auto ranges = PinRanges::load(domain.io(), path);
  if (!ranges) {
    report.error = std::move(ranges).error();
    ranges = PinRanges{};
  }
  report.on = ranges->on();
  std::vector<HeldPin> found;
  auto place = find_pin_place(domain.io(), domain.directory(), io::system_programs());
  if (place) {
    report.place = (*place)->describe();
    auto listed = (*place)->list();
    if (listed)
      found = std::move(*listed);
    else
      report.error = std::move(listed).error();
  } else {
    report.error = std::move(place).error();
  }
  const PinPlan plan = plan_pins(*domain.state(), domain.id(), *ranges, found);
  add(report, plan.good, PinState::kPinned);
  add(report, plan.missing, PinState::kMissing);
  add(report, plan.forgotten, PinState::kForgotten);
  add(report, plan.strangers, PinState::kStranger);
  std::ranges::sort(report.pins, {},
                    [](const SnapshotPin& pin) { return std::pair(pin.snapshot_id, pin.state); });
  report.in_use = report.on || !report.pins.empty() || (used && report.error);
  if (!report.in_use) return PinReport{};
  if (sizes && place && !report.error) add_sizes(report, **place);
  return report;
}

}  // namespace asl
