// What a domain says about data: statements about artifacts and snapshots, and the publication of a snapshot
// (doc/format-statement.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <asl/auth/value.h>
#include <asl/engine/bytes.h>
#include <asl/engine/domain_id.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>

namespace asl::auth {

inline constexpr std::size_t kStatementTextMax = 4096;  // bytes: a path and a few words

enum class Claim : std::uint8_t { kArtifactAtPath, kSnapshotRepresents, kDerivedFrom };
std::string_view claim_name(Claim claim);

struct Statement {
  DomainId domain_id{};
  Reference subject;
  Claim claim = Claim::kSnapshotRepresents;
  std::string value;                       // free text
  std::optional<Digest> pel_program_hash;  // absent when it was made outside a program run
  bool operator==(const Statement&) const = default;
};
Value to_value(const Statement& statement);
Result<Statement> statement_of(const Value& value);

struct SnapshotPublish {
  DomainId domain_id{};
  std::uint64_t snapshot_id = 0;
  Reference snapshot;
  Digest policy_hash{};
  Digest dam_hash{};
  std::optional<Digest> receipt_hash;
  bool operator==(const SnapshotPublish&) const = default;
};
Value to_value(const SnapshotPublish& publish);
Result<SnapshotPublish> snapshot_publish_of(const Value& value);

}  // namespace asl::auth
