#include "pin/settle.h"

#include <fmt/format.h>
#include <utility>

#include "pin/pin_place.h"
#include "pin/pin_plan.h"
#include "store/domain_layout.h"

namespace asl {
namespace {

// More would only hide the first ones.
constexpr std::size_t kFailuresTold = 3;

std::string in_words(const Error& error) {
  return error.to_string() + (error.hint.empty() ? "" : "; try: " + error.hint);
}

std::string numbers_of(const std::vector<PinPlan::Item>& items) {
  std::string text;
  for (const PinPlan::Item& item : items)
    text += (text.empty() ? "" : ", ") + std::to_string(item.pin.snapshot_id);
  return (items.size() == 1 ? "snapshot " : "snapshots ") + text;
}

std::string pins_file(const Domain& domain) {
  return DomainLayout(domain.directory()).pins_file();
}

// A reserve that a pin holds would free nothing when a full disk needs it. The session makes it anew when it
// ends.
void leave_out_reserve(const Domain& domain) {
  const std::string reserve = DomainLayout(domain.directory()).reserve_file();
  if (io::exists(domain.io(), reserve)) static_cast<void>(domain.io().remove(reserve));
}

// What stops one stops the others: no permission, no space, no tool.
void make_missing(PinFileSystem& place, const Domain& domain, std::vector<PinPlan::Item> missing,
                  PinsSettled& settled, std::vector<std::string>& notices) {
  if (!missing.empty()) leave_out_reserve(domain);
  while (!missing.empty()) {
    const std::string& name = missing.front().held.name;
    if (auto made = place.make(name); !made) {
      notices.push_back(numbers_of(missing) +
                        " not pinned yet, the next ingest or gc tries again: " + in_words(made.error()));
      return;
    }
    settled.made.push_back(name);
    missing.erase(missing.begin());
  }
}

void hold_all(PinFileSystem& place, const std::vector<PinPlan::Item>& pins,
              std::vector<std::string>& notices) {
  for (const PinPlan::Item& item : pins) {
    if (item.held.held) continue;
    if (auto held = place.hold(item.held.name); !held) {
      notices.push_back(fmt::format("the pin of snapshot {} can be removed by anybody: {}",
                                    item.pin.snapshot_id, in_words(held.error())));
      return;
    }
  }
}

void remove_forgotten(PinFileSystem& place, const std::vector<PinPlan::Item>& pins, PinsSettled& settled,
                      std::vector<std::string>& notices) {
  std::size_t failures = 0;
  for (const PinPlan::Item& item : pins) {
    auto removed = place.remove(item.held);
    if (removed) {
      settled.removed.push_back(item.held.name);
    } else if (++failures <= kFailuresTold) {
      notices.push_back(fmt::format("the pin of snapshot {}, which was forgotten, is still there: {}",
                                    item.pin.snapshot_id, in_words(removed.error())));
    }
  }
  if (failures > kFailuresTold)
    notices.push_back(
        fmt::format("and so are {} more pins of forgotten snapshots", failures - kFailuresTold));
}

void tell_of_strangers(const PinFileSystem& place, const std::vector<PinPlan::Item>& pins,
                       std::vector<std::string>& notices) {
  if (pins.empty()) return;
  std::string names;
  for (const PinPlan::Item& item : pins) names += (names.empty() ? "" : ", ") + item.held.name;
  notices.push_back(
      fmt::format("{} has pins of snapshots that this log does not have, and they stay: {}; try: "
                  "see what is in them (doc/pins.md), then remove them by hand",
                  place.describe(), names));
}

}  // namespace

void note_pin_setting(const Domain& domain, std::vector<std::string>& notices) {
  const bool on = domain.options().pin_snapshots;
  const std::string path = pins_file(domain);
  if (!on && !io::exists(domain.io(), path)) return;
  auto ranges = PinRanges::load(domain.io(), path);
  Result<void> noted;
  if (ranges) {
    if (!ranges->set(on, domain.state()->next_snapshot_id())) return;
    ranges->drop_forgotten(*domain.state());
    noted = ranges->save(domain.io(), path);
  } else {
    noted = fail(std::move(ranges).error());
  }
  if (!noted)
    notices.push_back(fmt::format("cannot note that snapshots are {} pinned from now on: {}",
                                  on ? "to be" : "not to be", in_words(noted.error())));
}

PinsSettled settle_pins_in(PinFileSystem& place, const Domain& domain, std::vector<std::string>& notices) {
  PinsSettled settled;
  auto ranges = PinRanges::load(domain.io(), pins_file(domain));
  if (!ranges) {
    // What is to go does not depend on it, and what is there stays.
    notices.push_back(in_words(ranges.error()));
    ranges = PinRanges{};
  }
  const auto found = place.list();
  if (!found) {
    notices.push_back("pins were left as they are: " + in_words(found.error()));
    return settled;
  }
  PinPlan plan = plan_pins(*domain.state(), domain.id(), *ranges, *found);
  remove_forgotten(place, plan.forgotten, settled, notices);
  hold_all(place, plan.good, notices);
  if (domain.options().pin_snapshots) make_missing(place, domain, std::move(plan.missing), settled, notices);
  tell_of_strangers(place, plan.strangers, notices);
  return settled;
}

PinsSettled settle_pins(const Domain& domain, bool thorough, std::vector<std::string>& notices) {
  const bool used = io::exists(domain.io(), pins_file(domain));
  if (!used && !thorough) return {};
  const auto place = find_pin_place(domain.io(), domain.directory(), io::system_programs());
  if (place) return settle_pins_in(**place, domain, notices);
  if (used && domain.options().pin_snapshots)
    notices.push_back("nothing is pinned: " + in_words(place.error()));
  return {};
}

}  // namespace asl
