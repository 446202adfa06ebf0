#include "transfer/export_links.h"

#include <array>
#include <utility>

#include <asl/engine/tree_walk.h>

#include "transfer/spill_place.h"

namespace asl {
namespace {

constexpr std::size_t kNumberSize = 8;
using Key = std::array<std::byte, 2 * kNumberSize>;

// The names of one inode share its id and its content; a partial of which another name was read whole is
// another file to us.
Result<void> collect(const Domain& domain, const Snapshot& snapshot, const std::string& path,
                     const StopToken& stop, ExternalSorter& links) {
  std::uint64_t position = 0;
  const auto visit = [&](const std::string& name, const Entry& entry) -> Result<WalkStep> {
    ASL_TRY(stop.check());
    if (entry.hardlink_id != 0 && entry.type != EntryType::kDirectory) {
      Key key;
      store_be(key.data(), entry.hardlink_id);
      store_be(key.data() + kNumberSize, position);
      ASL_TRY(links.add(key, as_bytes(name)));
    }
    ++position;
    return WalkStep::kContinue;
  };
  const auto pass_over = [](const std::string&, const Error&) -> Result<void> { return {}; };
  ASL_TRY(walk_snapshot(domain, snapshot, path, visit, pass_over));
  return links.sort();
}

}  // namespace

ExportLinks::ExportLinks(std::unique_ptr<ExternalSorter> further)
    : further_(std::move(further)), reader_(further_->read()) {}

Result<ExportLinks> ExportLinks::find(const Domain& domain, const Snapshot& snapshot, const std::string& path,
                                      const StopToken& stop) {
  ExternalSorter links(domain.io(), spill_place_for_reading());
  ASL_TRY(collect(domain, snapshot, path, stop, links));
  auto further = std::make_unique<ExternalSorter>(domain.io(), spill_place_for_reading());
  auto reader = links.read();
  std::uint64_t open_id = 0;
  std::string first;
  while (true) {
    ASL_ASSIGN(const bool more, reader.next());
    if (!more) break;
    const auto id = load_be<std::uint64_t>(reader.key().data());
    if (id != open_id) {
      open_id = id;
      first = as_text(reader.value());
      continue;
    }
    ASL_TRY(further->add(reader.key().subspan(kNumberSize), as_bytes(first)));
  }
  ASL_TRY(further->sort());
  ExportLinks result(std::move(further));
  ASL_TRY(result.advance());
  return result;
}

Result<void> ExportLinks::advance() {
  ASL_ASSIGN(const bool more, reader_.next());
  next_.reset();
  if (more) next_ = load_be<std::uint64_t>(reader_.key().data());
  return {};
}

Result<std::optional<std::string>> ExportLinks::first_name(std::uint64_t position) {
  while (next_ && *next_ < position) ASL_TRY(advance());
  if (!next_ || *next_ != position) return std::nullopt;
  return std::string(as_text(reader_.value()));
}

}  // namespace asl
