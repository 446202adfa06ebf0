// Root sets: the one to three offline keys that certify domains, and how many of them it takes
// (doc/format-certificate.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/envelope.h>
#include <asl/auth/public_key.h>
#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

inline constexpr std::size_t kRootKeysMax = 3;
inline constexpr std::size_t kRootSetChainSizeMax = std::size_t{1} << 20;  // bytes: hundreds of rotations

struct RootSet {
  std::uint32_t version = 1;
  std::vector<PublicKey> keys;  // sorted, each once
  std::uint32_t threshold = 1;
  std::optional<Digest> previous;  // object hash of the set before; none for version 1
};

Value to_value(const RootSet& set);
Result<RootSet> root_set_of(const Value& value);

// How far an object has come: "1 of 2".
struct ThresholdState {
  std::vector<PublicKey> signers;  // keys of the set that have signed
  std::uint32_t needed = 0;
  bool reached() const { return signers.size() >= needed; }
};
// Which of the set's keys have signed. Fails only for a bad signature by one of them.
Result<ThresholdState> threshold_state(const Envelope& envelope, const RootSet& set);
// kRefused (rule threshold-reached) below the threshold.
Result<void> require_threshold(const Envelope& envelope, const RootSet& set);

// Every version of a root set, each signed to its own threshold and to that of the one before. The first is
// trusted only by its words.
class RootSetChain {
 public:
  // One envelope a line, version 1 first.
  static Result<RootSetChain> decode(std::string_view text);
  std::string encode() const;
  Result<void> append(Envelope envelope);

  bool empty() const { return sets_.empty(); }
  const RootSet& latest() const { return sets_.back(); }
  const Digest& latest_hash() const { return hashes_.back(); }
  std::span<const RootSet> sets() const { return sets_; }
  std::span<const Digest> hashes() const { return hashes_; }
  std::span<const Envelope> envelopes() const { return envelopes_; }
  // The version with that object hash; null if there is none.
  const RootSet* find(const Digest& hash) const;

 private:
  std::vector<Envelope> envelopes_;
  std::vector<RootSet> sets_;
  std::vector<Digest> hashes_;
};

}  // namespace asl::auth
