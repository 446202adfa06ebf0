#include "store/derived_files.h"

#include <nlohmann/json.hpp>
#include <string>

#include "store/domain_layout.h"

namespace asl {

Result<void> write_domain_json(const Domain& domain) {
  const auto state = domain.state();
  nlohmann::ordered_json json;
  json["schema"] = "asl.domain.v1";
  json["id"] = to_hex(domain.id());
  json["alias"] = domain.alias();
  json["local"] = state->genesis()->local;
  if (!state->genesis()->local) json["root_public_key"] = to_hex(state->genesis()->root_public_key);
  const SnapshotState* current = state->current_snapshot();
  json["current_snapshot"] = current == nullptr ? 0 : current->id;
  json["logseq"] = state->last_logseq();
  json["record_hash"] = to_hex(state->record_hash());
  const std::string text = json.dump(2) + "\n";
  return io::replace_file(domain.io(), DomainLayout(domain.directory()).domain_json(), as_bytes(text));
}

Result<void> write_derived_files(const Domain& domain, std::uint64_t snapshot_id, ByteSpan snapshot_bytes) {
  ASL_TRY(io::replace_file(domain.io(), DomainLayout(domain.directory()).snapshot_file(snapshot_id),
                           snapshot_bytes));
  return write_domain_json(domain);
}

}  // namespace asl
