// Whether an entry is what a search asks for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <asl/engine/find.h>

#include "ingest/pattern.h"
#include "store/damage_list.h"
#include "store/view.h"

namespace asl {

// Not thread-safe: remembers what it found out about contents.
class EntryFilter {
 public:
  // kUsage for a bad pattern.
  static Result<EntryFilter> make(const Domain& domain, const FindQuery& query);
  // `path` from the snapshot's root.
  Result<bool> matches(const std::string& path, const Entry& entry);

 private:
  EntryFilter(const Domain& domain, const FindQuery& query, DamageList damage);
  bool name_matches(const std::string& path, const Entry& entry) const;
  Result<bool> is_damaged(const Entry& entry);
  Result<bool> content_damaged(const Reference& reference);
  Result<bool> artifact_damaged(const Reference& reference);

  const Domain& domain_;
  const FindQuery query_;
  const std::shared_ptr<const View> view_;
  PatternList pattern_;
  DamageList damage_;
  // Answers that cost reading extents, of artifacts of several; starts over when full.
  std::unordered_map<Reference, bool, ReferenceHash> known_;
};

}  // namespace asl
