#include "auth_host_table.h"

namespace asl::cli {
namespace {

CommandSpec admission_request_row() {
  return {
      .name = "admission request",
      .section = kSectionPeers,
      .summary = "ask another domain to be admitted",
      .description =
          "Writes a request to the domain of CARD, signed by this domain's root key: the whole chain of "
          "manifests, the policy, root sets and certificate if there are any, and what is asked for. It is "
          "decided once.",
      .positionals = {{.name = "CARD", .help = "domain.card of the other domain", .kind = ValueKind::kPath}},
      .options = with({{.name = "to",
                        .kind = ValueKind::kPath,
                        .metavar = "FILE",
                        .help = "Where the request goes; must be given"},
                       {.name = "scope",
                        .kind = ValueKind::kText,
                        .metavar = "ROLES",
                        .help = "Roles asked for, parted by commas, or 'all'",
                        .default_text = "produce"},
                       {.name = "lease-bytes",
                        .kind = ValueKind::kSize,
                        .metavar = "SIZE",
                        .help = "Also ask for a courtesy lease: that much space, should the other domain not "
                                "know this one",
                        .min = 1,
                        .max = (std::uint64_t{1} << 53) - 1},
                       {.name = "lease-days",
                        .kind = ValueKind::kInteger,
                        .metavar = "N",
                        .help = "For so many days",
                        .default_text = "30",
                        .min = 1,
                        .max = 3660},
                       root_key_option()},
                      pass_options()),
      .examples = {{"asl-auth-host admission request archive.card --lease-bytes 10G --to request.sig",
                    "Ask, as a guest if need be."}},
      .exit_codes = {4, 5, 7, 8, 9, 10}};
}

CommandSpec admit_row() {
  return {
      .name = "admit",
      .section = kSectionPeers,
      .summary = "decide about another domain's request",
      .description =
          "Checks the request in a fixed order, shows it, and signs what follows from the first check that "
          "fails: ACCEPTED makes the domain FULL; ACCEPTED_LIMITED, for one that is not pinned and asks for "
          "a "
          "lease, COURTESY; DEFERRED and REJECTED change nothing (REJECTED is exit 7). Request, decision, "
          "lease and state are bound in the log in one commit. The key must be a principal's with the role "
          "federate. doc/admission.md has the order and the reason codes.",
      .positionals = {{.name = "REQUEST",
                       .help = "Request, or with --identity a bundle for admission",
                       .kind = ValueKind::kPath}},
      .options = with(with({{.name = "confirm",
                             .kind = ValueKind::kText,
                             .metavar = "WORDS",
                             .help = "All sixteen words of the request, instead of four of them typed on the "
                                     "terminal"},
                            {.name = "identity",
                             .kind = ValueKind::kPath,
                             .metavar = "FILE",
                             .help = "REQUEST is a bundle that the age identities in FILE open; it is used "
                                     "up"},
                            {.name = "to",
                             .kind = ValueKind::kPath,
                             .metavar = "FILE",
                             .help = "Write the signed decision here as well"},
                            operational_key_option()},
                           date_options()),
                      pass_options()),
      .examples = {{"asl-auth-host admit request.sig", "Decide."}},
      .exit_codes = {3, 4, 5, 7, 8, 9, 10}};
}

CommandSpec pin_row() {
  return {
      .name = "pin",
      .section = kSectionPeers,
      .summary = "trust another domain, by its words",
      .description =
          "Binds in the log that the domain of CARD is trusted under the policy that its card holds. What is "
          "compared are sixteen words, typed as its people read them out: of the key id of its genesis key "
          "('key show' of its root.pub, made at genesis), or with --root-set of the root set that "
          "certifies it. A newer pin of the same domain replaces an older one.",
      .positionals = {{.name = "CARD", .help = "domain.card of the other domain", .kind = ValueKind::kPath}},
      .options = {{.name = "pin-words",
                   .kind = ValueKind::kText,
                   .metavar = "WORDS",
                   .help = "All sixteen words, instead of typing them on the terminal"},
                  {.name = "root-set",
                   .kind = ValueKind::kPath,
                   .metavar = "FILE",
                   .help = "Root set that certifies the domain, from version 1",
                   .repeatable = true}},
      .examples = {{"asl-auth-host pin archive.card", "Pin it."}},
      .exit_codes = {3, 4, 5, 7, 8, 9, 10}};
}

CommandSpec domain_state_row() {
  return {
      .name = "domain state",
      .section = kSectionPeers,
      .summary = "suspend, resume or revoke another domain",
      .description =
          "Signs and binds a change of what another domain is to this one. A suspended domain is resumed to "
          "what it was; a revoked one stays so for good.",
      .positionals = {{.name = "DOMAIN", .help = "Id of the other domain, or 8 or more of its digits"},
                      {.name = "ACTION", .help = "suspend, resume or revoke"}},
      .options = with({{.name = "reason",
                        .kind = ValueKind::kText,
                        .metavar = "CODE",
                        .help = "Why, as a code of a-z, 0-9 and '-'",
                        .repeatable = true},
                       operational_key_option()},
                      pass_options()),
      .examples = {{"asl-auth-host domain state 52e89ec6 suspend --reason key-lost", "Suspend it."}},
      .exit_codes = {3, 4, 5, 7, 8, 9, 10}};
}

}  // namespace

std::vector<CommandSpec> admission_commands() {
  return {admission_request_row(), admit_row(), pin_row(), domain_state_row()};
}

}  // namespace asl::cli
