// A keyed domain with known keys, and what a ceremony does to it.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>

#include <asl/auth/audit.h>
#include <asl/auth/authority.h>
#include <asl/auth/authority_session.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/ceremony_date.h>
#include <asl/auth/deeds.h>
#include <asl/auth/domain_card.h>
#include <asl/auth/genesis.h>
#include <asl/auth/log_check.h>
#include <asl/auth/stored_signature.h>
#include <asl/auth/words.h>
#include <asl/engine/log_listing.h>

#include "auth_support.h"
#include "store_fixture.h"

namespace asl::auth {

using test::key_of;
using test::value_of;

inline bool breaks(const auto& result, std::string_view rule) {
  return !result && result.error().message.find("(rule " + std::string(rule) + ")") != std::string::npos;
}

inline constexpr std::uint8_t kRoot = 0;
inline constexpr std::uint8_t kWorker = 10;

inline SigningKey worker_key(std::uint8_t fill = kWorker) {
  return key_of(KeyClass::kOperational, fill);
}

inline EnvClaim machine() {
  EnvClaim claim;
  claim.kernel = "Linux of the tests";
  claim.facts = {{"machine", "x86_64"}};
  return claim;
}

inline DateRecord date(const std::string& text = "2026-11-21") {
  return {.unix_seconds = value_of(parse_date(text)), .correction = false, .words = "test"};
}

inline RootSet root_set(std::vector<std::uint8_t> fills, std::uint32_t threshold) {
  RootSet set{.version = 1, .keys = {}, .threshold = threshold, .previous = {}};
  for (const std::uint8_t fill : fills) set.keys.push_back(key_of(KeyClass::kOfflineRoot, fill).public_key());
  std::ranges::sort(set.keys);
  return set;
}

inline Envelope sealed(Kind kind, const Value& value, KeyClass key_class, std::vector<std::uint8_t> fills) {
  std::vector<SigningKey> keys;
  for (const std::uint8_t fill : fills) keys.push_back(key_of(key_class, fill));
  return value_of(seal_object(kind, encode_canonical(value), keys));
}

class DomainAuthority : public ::testing::Test {
 protected:
  DomainAuthority() : io_(io::make_default_io()) {
    root_.emplace(value_of(HostRoot::init(*io_, directory_ / "root")));
    const PublicKey key = key_of(KeyClass::kDomainRoot, kRoot).public_key();
    summary_ = value_of(root_->create_domain("archive", domain_id_of(key), key.bytes));
    domain_ = test::open_domain(*io_, summary_.directory);
  }

  GenesisReport found(GenesisPlan plan = {}) {
    plan.date = date();
    plan.machine = machine();
    SigningKey root = key_of(KeyClass::kDomainRoot, kRoot);
    SigningKey worker = worker_key();
    return value_of(found_domain(*domain_, root_->directory(), root, worker, plan));
  }

  AuthoritySession session() { return value_of(AuthoritySession::open(*domain_, root_->directory())); }
  Authority authority() { return value_of(Authority::load(*domain_)); }

  Result<Envelope> issue(const DamChange& change, std::vector<std::uint8_t> roots = {kRoot}) {
    std::vector<SigningKey> keys;
    for (const std::uint8_t fill : roots) keys.push_back(key_of(KeyClass::kDomainRoot, fill));
    AuthoritySession open = session();
    ASL_ASSIGN(Envelope envelope, issue_dam(open, change, keys, nullptr, machine()));
    ASL_TRY(open.commit());
    return envelope;
  }

  Result<void> bind(const Envelope& envelope) {
    AuthoritySession open = session();
    ASL_TRY(open.bind(envelope));
    ASL_TRY(open.commit());
    return {};
  }

  Envelope certificate(std::vector<std::uint8_t> roots, const Digest& issued_by) {
    const Certificate made{.subject = domain_root_subject(authority().dam(), 1), .issued_by = issued_by};
    return sealed(Kind::kCertificate, to_value(made), KeyClass::kOfflineRoot, std::move(roots));
  }

  std::uint64_t make_snapshot() {
    const auto writer = value_of(StoreWriter::open(*domain_, test::writer_options()));
    Notices notices;
    const SmallTree tree{.files = {{.path = "file", .content = "hello\n"}},
                         .source_path = "/src",
                         .label = "",
                         .tags = {},
                         .claim = {},
                         .time_s = 1};
    return value_of(commit_small_tree(*writer, *domain_, tree, {}, notices)).id;
  }

  // As somebody does who can write to the disk and asks nobody.
  void force(const std::vector<NewRecord>& records,
             const std::vector<std::pair<std::uint32_t, std::string>>& artifacts) {
    const auto writer = value_of(StoreWriter::open(*domain_, test::writer_options()));
    for (const auto& [tag, text] : artifacts) value_of(writer->put_typed(tag, as_bytes(text)));
    ASL_ASSERT_OK(writer->commit(records));
  }

  static NewRecord bind_record(Kind kind, std::string_view payload) {
    return new_record(
        AuthorityBindRecord{.type_tag = spec_of(kind).type_tag,
                            .reference = {.hash_id = kHashIdAsl1, .digest = object_hash(kind, payload)}});
  }

  test::TempDirectory directory_{test::memory_directory()};
  std::unique_ptr<io::Io> io_;
  std::optional<HostRoot> root_;
  DomainSummary summary_;
  std::unique_ptr<Domain> domain_;
};

}  // namespace asl::auth
