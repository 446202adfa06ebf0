#include "query/entry_filter.h"

#include <algorithm>
#include <utility>

#include <asl/engine/partial.h>

#include "store/domain_layout.h"

namespace asl {
namespace {

// A few MiB: the same large files occur in many snapshots.
constexpr std::size_t kKnownMax = 65'536;

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

EntryFilter::EntryFilter(const Domain& domain, const FindQuery& query, DamageList damage)
    : domain_(domain), query_(query), view_(domain.view()), damage_(std::move(damage)) {}

Result<EntryFilter> EntryFilter::make(const Domain& domain, const FindQuery& query) {
  ASL_ASSIGN(DamageList damage,
             DamageList::load(domain.io(), DomainLayout(domain.directory()).damaged_file()));
  EntryFilter filter(domain, query, std::move(damage));
  if (!query.pattern.empty()) {
    std::string pattern = query.ignore_case ? lower_case(query.pattern) : query.pattern;
    // Negation is for lists of patterns; here '!' is a character like any other.
    if (pattern.starts_with('!')) pattern.insert(0, "\\");
    ASL_TRY(filter.pattern_.add(pattern));
  }
  return filter;
}

bool EntryFilter::name_matches(const std::string& path, const Entry& entry) const {
  if (pattern_.empty()) return true;
  return pattern_.matches(query_.ignore_case ? lower_case(path) : path, entry.type == EntryType::kDirectory);
}

Result<bool> EntryFilter::matches(const std::string& path, const Entry& entry) {
  const bool is_file = entry.type == EntryType::kFile;
  if (query_.type && *query_.type != entry.type) return false;
  if (query_.larger_than_bytes && (!is_file || entry.size_bytes <= *query_.larger_than_bytes)) return false;
  if (query_.smaller_than_bytes && (!is_file || entry.size_bytes >= *query_.smaller_than_bytes)) return false;
  if (query_.content && (entry.content.is_null() || !query_.content->matches(entry.content))) return false;
  if (query_.incomplete && (entry.flags & (kEntryChanged | kEntryPartial)) == 0) return false;
  if (!name_matches(path, entry)) return false;
  return query_.damaged ? is_damaged(entry) : Result<bool>(true);
}

Result<bool> EntryFilter::is_damaged(const Entry& entry) {
  if (entry.type != EntryType::kFile) return false;
  if (!entry.content.is_typed()) return content_damaged(entry.content);
  const auto bytes = domain_.read_typed(entry.content, kTagPartial, kPartialSizeMax);
  if (!bytes) return true;
  ASL_ASSIGN(const Partial partial, decode_partial(*bytes));
  for (const PartialPiece& piece : partial.pieces) {
    ASL_ASSIGN(const bool damaged, content_damaged(piece.ref));
    if (damaged) return true;
  }
  return false;
}

Result<bool> EntryFilter::content_damaged(const Reference& reference) {
  if (damage_.contains(reference.digest)) return true;
  if (const auto at = known_.find(reference); at != known_.end()) return at->second;
  ASL_ASSIGN(const bool damaged, artifact_damaged(reference));
  if (known_.size() >= kKnownMax) known_.clear();
  known_.emplace(reference, damaged);
  return damaged;
}

Result<bool> EntryFilter::artifact_damaged(const Reference& reference) {
  const auto handle = view_->index->find(reference);
  // A segment that cannot be read, or no record at all: the bytes cannot be had.
  if (!handle || !*handle) return true;
  if (damage_.empty()) return false;
  for (std::uint32_t k = 0; k < (*handle)->extent_count(); ++k) {
    ASL_ASSIGN(const ArtifactExtent extent, (*handle)->extent(k));
    if (!extent.hole && damage_.contains(extent.location.digest)) return true;
  }
  return false;
}

}  // namespace asl
