#include "commands/pin_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "text.h"

namespace asl::cli {
namespace {

constexpr std::array kStates = {PinState::kPinned, PinState::kMissing, PinState::kForgotten,
                                PinState::kStranger};

Json pin_json(const SnapshotPin& pin) {
  Json json;
  json["snapshot_id"] = pin.snapshot_id;
  json["state"] = pin_state_name(pin.state);
  json["name"] = pin.name;
  if (pin.alone_bytes) json["alone_bytes"] = *pin.alone_bytes;
  return json;
}

}  // namespace

void put_pin(Json& object, const PinReport& report, std::uint64_t snapshot_id) {
  if (const SnapshotPin* pin = report.find(snapshot_id))
    object["pin"] = {{"state", pin_state_name(pin->state)}, {"name", pin->name}};
}

void put_pins(Json& object, const PinReport& report) {
  if (!report.in_use) return;
  Json json;
  json["on"] = report.on;
  if (!report.place.empty()) put_bytes(json, "place", report.place);
  json["list"] = Json::array();
  for (const SnapshotPin& pin : report.pins) json["list"].push_back(pin_json(pin));
  if (report.held_back_bytes) json["held_back_bytes"] = *report.held_back_bytes;
  if (report.error) json["error"] = printable_message(report.error->to_string());
  object["pins"] = json;
}

std::string pin_remark(const PinReport& report, std::uint64_t snapshot_id) {
  const SnapshotPin* pin = report.find(snapshot_id);
  if (pin == nullptr) return "";
  return pin->state == PinState::kPinned ? "pinned" : "pin missing";
}

std::string pin_summary(const PinReport& report) {
  std::string text = report.on ? "on" : "off";
  for (const PinState state : kStates) {
    const auto count = std::ranges::count(report.pins, state, &SnapshotPin::state);
    if (count > 0)
      text += fmt::format(", {} {}", format_count(static_cast<std::uint64_t>(count)), pin_state_name(state));
  }
  if (!report.place.empty()) text += ", in " + printable(report.place);
  return text;
}

void warn_of_pins(Context& context, const PinReport& report) {
  if (!report.error) return;
  const std::string& hint = report.error->hint;
  context.warn("pins: " + report.error->to_string() + (hint.empty() ? "" : "; try: " + hint));
}

}  // namespace asl::cli
