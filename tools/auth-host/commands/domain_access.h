// The domain that a command works on, its keys, and the date of a ceremony.
#pragma once

#include <memory>
#include <string>

#include <asl/auth/authority.h>
#include <asl/auth/authority_session.h>
#include <asl/auth/ceremony_date.h>
#include <asl/auth/env_claim.h>
#include <asl/auth/signing_key.h>
#include <asl/engine/domain.h>
#include <asl/engine/host_root.h>
#include <asl/engine/io.h>

#include "json_out.h"
#include "program.h"

namespace asl::cli {

struct OpenDomain {
  std::unique_ptr<io::Io> io;
  std::unique_ptr<HostRoot> root;
  std::unique_ptr<Domain> domain;

  const std::string& host_directory() const { return root->directory(); }
};
// The root of --root and the domain of --domain, or the only one.
Result<OpenDomain> open_domain(Context& context);

// --key, else the domain's own operational key on this host.
Result<auth::SigningKey> open_operational_key(Context& context, const ParsedOptions& options,
                                              const Domain& domain);
// Every --root-key, else the domain's own root key on this host. Their pass phrases come after those of the
// `place` keys that the command opened before.
Result<std::vector<auth::SigningKey>> open_root_keys(Context& context, const ParsedOptions& options,
                                                     const Domain& domain, std::size_t place);

// The record of --date, or of what is typed on the terminal.
Result<DateRecord> confirm_ceremony_date(Context& context, const ParsedOptions& options,
                                         std::optional<std::int64_t> last, std::string words);

// This program and machine, for an environment claim; --image-sha256 and --fact where the command has them.
Result<auth::EnvClaim> describe_this_machine(const ParsedOptions& options);

void warn_of_notices(Context& context, const Notices& notices);

// The number of a snapshot: "7", "latest", a label.
Result<std::uint64_t> parse_snapshot(const Domain& domain, const std::string& text);

// "--> printed or JSON" facts of a commit of authority: snapshot, log record.
void put_commit(Json& json, const Domain& domain, const auth::AuthorityCommit& commit);
void print_commit(Context& context, const Domain& domain, const auth::AuthorityCommit& commit);

}  // namespace asl::cli
