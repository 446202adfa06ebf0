#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/dam.h>
#include <asl/auth/rules.h>

namespace asl::auth {

Result<DamChain> DamChain::decode(std::string_view text) {
  if (text.size() > kDamChainSizeMax)
    return fail(ErrorCode::kMalformed, fmt::format("a DAM chain of more than {} bytes", kDamChainSizeMax));
  if (!text.ends_with('\n'))
    return fail(ErrorCode::kMalformed, "a DAM chain has one envelope a line, each ended");
  std::vector<Envelope> envelopes;
  while (!text.empty()) {
    if (envelopes.size() == kDamVersionsMax)
      return fail(ErrorCode::kMalformed,
                  fmt::format("a DAM chain of more than {} versions", kDamVersionsMax));
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    auto envelope = decode_envelope(line, Kind::kDam);
    if (!envelope) {
      Error error = std::move(envelope).error();
      error.message = fmt::format("line {} of the DAM chain: {}", envelopes.size() + 1, error.message);
      return fail(std::move(error));
    }
    envelopes.push_back(std::move(*envelope));
  }
  return verify(std::move(envelopes));
}

Result<DamChain> DamChain::verify(std::vector<Envelope> envelopes) {
  if (envelopes.empty()) return broken_rule("dam-link", "a chain without a manifest");
  DamChain chain;
  for (Envelope& envelope : envelopes) ASL_TRY(chain.append(std::move(envelope)));
  return chain;
}

std::vector<PublicKey> DamChain::signers_of_next(const PublicKey& root_key) const {
  std::vector<PublicKey> keys = {root_key};
  if (!dams_.empty()) keys.push_back(dams_.back().root_key);
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  return keys;
}

Result<void> DamChain::check_link(const Dam& dam, const Envelope& envelope) const {
  const auto name = fmt::format("DAM {}", dam.version);
  if (dams_.empty()) {
    if (dam.version != 1) return broken_rule("dam-link", "the chain does not begin with version 1", name);
  } else {
    const Dam& before = dams_.back();
    if (dam.domain_id != before.domain_id || dam.genesis_key != before.genesis_key)
      return broken_rule("dam-link",
                         "it is of another domain, or has another genesis key, than the one before", name);
    if (dam.version != before.version + 1)
      return broken_rule("dam-link", fmt::format("version {} must come here", before.version + 1), name);
    if (dam.previous != latest_hash_)
      return broken_rule("dam-link", "it does not name the hash of the version before it", name);
  }
  const std::vector<PublicKey> needed = signers_of_next(dam.root_key);
  ASL_ASSIGN(const auto signers, verify_envelope(envelope, needed));
  for (const PublicKey& key : needed)
    if (std::ranges::find(signers, key) == signers.end())
      return broken_rule(
          "dam-signed",
          fmt::format("the signature of {} is missing", dams_.empty() || key != dams_.back().root_key
                                                            ? "its own root key"
                                                            : "the root key before it"),
          name);
  return {};
}

Result<void> DamChain::append(Envelope envelope) {
  ASL_ASSIGN(const Value value, decode_canonical(envelope.payload));
  ASL_ASSIGN(Dam dam, dam_of(value));
  ASL_TRY(check_link(dam, envelope));
  latest_hash_ = envelope.object_hash();
  dams_.push_back(std::move(dam));
  envelopes_.push_back(std::move(envelope));
  return {};
}

std::string DamChain::encode() const {
  std::string text;
  for (const Envelope& envelope : envelopes_) text += encode_envelope(envelope) + '\n';
  return text;
}

}  // namespace asl::auth
