// What a domain does under its authority: publish snapshots, attest, issue manifests, take in what others
// signed for it. Each works inside an AuthoritySession and is in the log once that commits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <asl/auth/authority_session.h>
#include <asl/auth/dam.h>
#include <asl/auth/env_claim.h>
#include <asl/auth/envelope.h>
#include <asl/auth/signing_key.h>
#include <asl/auth/statement.h>
#include <asl/engine/error.h>

namespace asl::auth {

// Signs and binds the publication of a snapshot: from the commit on, all that it reaches is published.
// kRefused by any rule of authority-rules.md; kNotFound for the snapshot.
Result<Envelope> publish_snapshot(AuthoritySession& session, std::uint64_t snapshot_id, Signer& signer);

// Signs and binds "this snapshot represents ..." about a snapshot of the domain.
Result<Envelope> attest_snapshot(AuthoritySession& session, std::uint64_t snapshot_id,
                                 const std::string& value, Signer& signer);

// The next manifest, signed by `roots` (the old root key, and the new one where it changes), after an
// environment claim, which `operational` signs where it is not null. A policy that the change names must be
// bound in the session before.
Result<Envelope> issue_dam(AuthoritySession& session, const DamChange& change, std::span<SigningKey> roots,
                           Signer* operational, EnvClaim machine);

// Binds what was signed elsewhere: root sets, certificates, ratifications, manifests (of a chain, those that
// are new), policies; one object or envelope a line. A first root set is pinned by its sixteen words:
// kRefused without them. Returns how many objects are new.
struct BindReport {
  std::vector<std::string> bound;  // "kind asl1:hash"
  std::size_t present = 0;
};
Result<BindReport> bind_text(AuthoritySession& session, std::string_view text, std::string_view root_words);

}  // namespace asl::auth
