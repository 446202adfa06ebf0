#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include <asl/auth/canonical_json.h>
#include <asl/auth/root_set.h>
#include <asl/auth/rules.h>

#include "objects/object_reader.h"

namespace asl::auth {
namespace {

constexpr std::int64_t kU32Max = std::numeric_limits<std::uint32_t>::max();

std::string name_of(const RootSet& set) {
  return fmt::format("root set {}", set.version);
}

}  // namespace

Value to_value(const RootSet& set) {
  Value::Array keys;
  for (const PublicKey& key : set.keys) keys.emplace_back(to_text(key));
  Value::Object fields{{"kind", "root-set"},         {"v", 1},
                       {"version", set.version},     {"root_keys", std::move(keys)},
                       {"threshold", set.threshold}, {"reserved0", 0}};
  if (set.previous) fields.emplace("previous", to_hex(*set.previous));
  return fields;
}

Result<RootSet> root_set_of(const Value& value) {
  ObjectReader reader(value, "root-set");
  RootSet set;
  reader.names_itself("root-set");
  set.version = static_cast<std::uint32_t>(reader.integer("version", 1, kU32Max));
  for (const std::string& text : reader.set("root_keys", kRootKeysMax)) {
    const auto key = parse_public_key(text);
    reader.require(key.has_value(), "object-value", "holds a root key that is no Ed25519 public key");
    if (key) set.keys.push_back(*key);
  }
  set.threshold = static_cast<std::uint32_t>(reader.integer("threshold", 0, kU32Max));
  set.previous = reader.optional_digest("previous");
  reader.integer("reserved0", 0, 0);
  ASL_TRY(reader.finish());
  reader.require(!set.keys.empty() && set.threshold >= 1 && set.threshold <= set.keys.size(),
                 "root-set-threshold", "has no keys, or a threshold that they cannot reach");
  reader.require((set.version == 1) == !set.previous.has_value(), "root-set-link",
                 set.version == 1 ? "is version 1 and names a previous one" : "names no previous version");
  ASL_TRY(reader.finish());
  return set;
}

Result<ThresholdState> threshold_state(const Envelope& envelope, const RootSet& set) {
  ThresholdState state{.signers = {}, .needed = set.threshold};
  ASL_ASSIGN(state.signers, verify_envelope(envelope, set.keys));
  return state;
}

Result<void> require_threshold(const Envelope& envelope, const RootSet& set) {
  ASL_ASSIGN(const ThresholdState state, threshold_state(envelope, set));
  if (state.reached()) return {};
  return broken_rule(
      "threshold-reached",
      fmt::format("this {} has {} of the {} signatures by {} that it needs", spec_of(envelope.kind).name,
                  state.signers.size(), state.needed, name_of(set)));
}

Result<void> RootSetChain::append(Envelope envelope) {
  if (envelope.kind != Kind::kRootSet)
    return broken_rule("root-set-link", "a root set chain holds root sets only");
  ASL_ASSIGN(const Value value, decode_canonical(envelope.payload));
  ASL_ASSIGN(RootSet set, root_set_of(value));
  if (sets_.empty() && set.version != 1)
    return broken_rule("root-set-link", "the chain does not begin with version 1", name_of(set));
  if (!sets_.empty() && (set.version != latest().version + 1 || set.previous != latest_hash()))
    return broken_rule("root-set-link", "it does not follow the one before it", name_of(set));
  ASL_ASSIGN(const ThresholdState own, threshold_state(envelope, set));
  if (!own.reached())
    return broken_rule("root-set-signed",
                       fmt::format("{} of {} of its own keys have signed", own.signers.size(), own.needed),
                       name_of(set));
  if (!sets_.empty()) {
    ASL_ASSIGN(const ThresholdState old, threshold_state(envelope, latest()));
    if (!old.reached())
      return broken_rule(
          "root-set-signed",
          fmt::format("{} of {} keys of the set before it have signed", old.signers.size(), old.needed),
          name_of(set));
  }
  hashes_.push_back(envelope.object_hash());
  sets_.push_back(std::move(set));
  envelopes_.push_back(std::move(envelope));
  return {};
}

Result<RootSetChain> RootSetChain::decode(std::string_view text) {
  if (text.size() > kRootSetChainSizeMax || !text.ends_with('\n'))
    return fail(ErrorCode::kMalformed,
                "a root set chain has one envelope a line, each ended, and at most 1 MiB");
  RootSetChain chain;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    ASL_ASSIGN(Envelope envelope, decode_envelope(line, Kind::kRootSet));
    ASL_TRY(chain.append(std::move(envelope)));
  }
  return chain;
}

std::string RootSetChain::encode() const {
  std::string text;
  for (const Envelope& envelope : envelopes_) text += encode_envelope(envelope) + '\n';
  return text;
}

const RootSet* RootSetChain::find(const Digest& hash) const {
  const auto at = std::ranges::find(hashes_, hash);
  return at == hashes_.end() ? nullptr : &sets_[static_cast<std::size_t>(at - hashes_.begin())];
}

}  // namespace asl::auth
