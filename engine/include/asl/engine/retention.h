// Keep rules: which snapshots of a history stay (doc/gc.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/domain.h>
#include <asl/engine/history.h>

namespace asl {

struct KeepRules {
  std::uint64_t last = 0;  // the newest N; these five and the next: 0 means that the rule is not given
  std::uint64_t hourly = 0;
  std::uint64_t daily = 0;
  std::uint64_t weekly = 0;  // ISO weeks, which begin on Monday
  std::uint64_t monthly = 0;
  std::uint64_t yearly = 0;
  std::optional<std::uint64_t> within_s;  // younger than this before the newest one
  std::vector<std::string> tags;          // all with one of these
  bool labelled = false;                  // all that have a label

  bool empty() const;
};

// What the rules look at. All times are UTC.
struct HistoryItem {
  std::uint64_t id = 0;
  std::optional<std::int64_t> created_s;
  std::string host;
  std::vector<std::string> sources;
  std::vector<std::string> tags;
  std::string label;
  bool held = false;
  bool published = false;
};

struct KeepDecision {
  HistoryItem item;
  // Why it stays, in words ("daily", "tag x", "on hold", ...); empty: it is to be forgotten.
  std::vector<std::string> reasons;
  bool keep() const { return !reasons.empty(); }
};

// Decides for each snapshot; `items` by id. Rules apply to each (host, sources) group by itself.
//
// Clocks are not trusted: the order of snapshots is that of their ids, ages are counted back from the newest
// snapshot's time and not from now, and a snapshot whose time does not fit between those before and after it
// is kept ("time in doubt") and takes no other's place.
std::vector<KeepDecision> apply_keep_rules(std::span<const HistoryItem> items, const KeepRules& rules);

// The living snapshots of the domain, by id. Errors: those of reading a snapshot.
Result<std::vector<HistoryItem>> snapshot_history(const Domain& domain);

}  // namespace asl
