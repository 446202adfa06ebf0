#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/authority_session.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/stored_signature.h>

#include "domain/authority_copies.h"

namespace asl::auth {
namespace {

bool shows_in_tree(Kind kind) {
  constexpr Kind kShown[] = {
      Kind::kPolicy,  Kind::kDam, Kind::kRootSet, Kind::kCertificate, Kind::kPolicyRatification,
      Kind::kEnvClaim};
  return std::ranges::find(kShown, kind) != std::end(kShown);
}

Result<NewRecord> put_signature(StoreWriter& writer, Kind kind, const Digest& hash,
                                const EnvelopeSignature& signature) {
  const KindSpec& spec = spec_of(Kind::kSignature);
  const StoredSignature stored{.kind = kind, .object_hash = hash, .signature = signature};
  const std::string text = encode_canonical(to_value(stored));
  ASL_ASSIGN(const Reference reference, writer.put_typed(spec.type_tag, as_bytes(text)));
  return new_record(AuthorityBindRecord{.type_tag = spec.type_tag, .reference = reference});
}

}  // namespace

Result<AuthoritySession> AuthoritySession::open(Domain& domain, std::string host_directory) {
  ASL_ASSIGN(auto writer, StoreWriter::open(domain, {}));
  ASL_ASSIGN(Authority authority, Authority::load(domain));
  return AuthoritySession(domain, std::move(host_directory), std::move(authority), std::move(writer));
}

LogPoint AuthoritySession::log_point() const {
  const auto state = domain_->state();
  return {.logseq = state->last_logseq(), .record_hash = state->record_hash()};
}

Result<void> AuthoritySession::bind(BoundObject object) {
  object.hash = object_hash(object.kind, object.payload);
  object.logseq = domain_->state()->last_logseq() + 1;
  const std::size_t before = authority_.objects().size();
  ASL_TRY(authority_.apply(object));
  if (authority_.objects().size() == before) return {};  // it was bound already
  tree_changed_ = tree_changed_ || shows_in_tree(object.kind);
  bound_.push_back(std::move(object));
  return {};
}

Result<void> AuthoritySession::bind(const Envelope& envelope) {
  return bind(BoundObject{.kind = envelope.kind,
                          .payload = envelope.payload,
                          .hash = {},
                          .logseq = 0,
                          .signatures = envelope.signatures});
}

Result<void> AuthoritySession::bind_unsigned(Kind kind, std::string_view payload) {
  return bind(
      BoundObject{.kind = kind, .payload = std::string(payload), .hash = {}, .logseq = 0, .signatures = {}});
}

Result<std::vector<NewRecord>> AuthoritySession::put_bound() {
  std::vector<NewRecord> records;
  for (const BoundObject& object : bound_) {
    const KindSpec& spec = spec_of(object.kind);
    ASL_ASSIGN(const Reference reference, writer_->put_typed(spec.type_tag, as_bytes(object.payload)));
    records.push_back(new_record(AuthorityBindRecord{.type_tag = spec.type_tag, .reference = reference}));
    for (const EnvelopeSignature& signature : object.signatures) {
      ASL_ASSIGN(NewRecord record, put_signature(*writer_, object.kind, object.hash, signature));
      records.push_back(std::move(record));
    }
  }
  records.insert(records.end(), records_.begin(), records_.end());
  return records;
}

Result<AuthorityCommit> AuthoritySession::commit() {
  ASL_TRY(authority_.settled());
  ASL_ASSIGN(const std::vector<NewRecord> records, put_bound());
  AuthorityCommit done;
  done.notices = writer_->notices();
  if (records.empty()) return done;
  if (tree_changed_ && authority_.has_manifest()) {
    const auto claim = authority_.latest_claim();
    const SmallTree tree{.files = authority_tree(authority_),
                         .source_path = "authority",
                         .label = "authority",
                         .tags = {"authority"},
                         .claim = claim ? Reference{.hash_id = kHashIdAsl1, .digest = *claim} : Reference{},
                         .time_s = last_date_of(*domain_, records_)};
    ASL_ASSIGN(done.tree, commit_small_tree(*writer_, *domain_, tree, records, done.notices));
  } else {
    ASL_TRY(commit_log_records(*writer_, *domain_, records, done.notices));
  }
  write_authority_copies(*domain_, host_directory_, bound_, done.notices);
  return done;
}

}  // namespace asl::auth
