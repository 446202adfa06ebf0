#include <algorithm>
#include <fmt/format.h>
#include <map>

#include <asl/auth/authority.h>
#include <asl/auth/canonical_json.h>
#include <asl/auth/stored_signature.h>

namespace asl::auth {
namespace {

Result<std::string> read_object(const Domain& domain, const KindSpec& spec,
                                const Logged<AuthorityBindRecord>& bind) {
  auto bytes = domain.read_typed(bind.record.reference, spec.type_tag, spec.size_max);
  if (bytes) return std::string(as_text(*bytes));
  Error error = std::move(bytes).error();
  // Whatever the reason, what the domain's authority rests on cannot be read: nothing may go on without it.
  if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kIntegrity;
  error.message = fmt::format("the {} that log record {} binds cannot be read: {}", spec.name, bind.logseq,
                              error.message);
  return fail(std::move(error));
}

Result<void> attach(std::vector<BoundObject>& objects, const std::map<Digest, std::size_t>& places,
                    std::string_view text, std::uint64_t logseq) {
  ASL_ASSIGN(const Value value, decode_canonical(text));
  ASL_ASSIGN(const StoredSignature stored, stored_signature_of(value));
  const auto place = places.find(stored.object_hash);
  if (place == places.end() || objects[place->second].kind != stored.kind)
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = fmt::format("log record {} binds a signature on what is not bound", logseq),
                      .object = to_hex(stored.object_hash)});
  auto& signatures = objects[place->second].signatures;
  const auto at =
      std::ranges::lower_bound(signatures, stored.signature.key_id, {}, &EnvelopeSignature::key_id);
  const bool there = at != signatures.end() && at->key_id == stored.signature.key_id;
  if (there && *at == stored.signature) return {};
  if (there || signatures.size() == kSignaturesMax)
    return fail(Error{.code = ErrorCode::kIntegrity,
                      .message = fmt::format("log record {} binds a second signature by one key", logseq),
                      .object = to_hex(stored.signature.key_id)});
  signatures.insert(at, stored.signature);
  return {};
}

}  // namespace

std::string BoundObject::text() const {
  return signatures.empty() ? payload : encode_envelope(envelope());
}

Result<std::vector<BoundObject>> read_bound_objects(const Domain& domain) {
  std::vector<BoundObject> objects;
  std::map<Digest, std::size_t> places;
  for (const auto& bind : domain.state()->authority_binds()) {
    const KindSpec* spec = find_kind(bind.record.type_tag);
    if (spec == nullptr)
      return fail(Error{.code = ErrorCode::kUnsupported,
                        .message = fmt::format("log record {} binds an object of a kind that this version "
                                               "does not know: 0x{:08X}",
                                               bind.logseq, bind.record.type_tag)});
    ASL_ASSIGN(std::string text, read_object(domain, *spec, bind));
    if (spec->kind == Kind::kSignature) {
      ASL_TRY(attach(objects, places, text, bind.logseq));
      continue;
    }
    const Digest hash = object_hash(spec->kind, text);
    if (!places.emplace(hash, objects.size()).second) continue;  // bound before
    objects.push_back({.kind = spec->kind,
                       .payload = std::move(text),
                       .hash = hash,
                       .logseq = bind.logseq,
                       .signatures = {}});
  }
  return objects;
}

}  // namespace asl::auth
