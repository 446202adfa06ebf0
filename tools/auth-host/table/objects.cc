#include "auth_host_table.h"

namespace asl::cli {
namespace {

OptionSpec to_option(std::string_view help) {
  return {.name = "to", .kind = ValueKind::kPath, .metavar = "FILE", .help = help};
}

OptionSpec root_set_option() {
  return {.name = "root-set",
          .kind = ValueKind::kPath,
          .metavar = "FILE",
          .help = "Root set: its versions in order, in one file or in several",
          .repeatable = true};
}

OptionSpec chain_option(std::string_view help) {
  return {.name = "chain", .kind = ValueKind::kPath, .metavar = "FILE", .help = help};
}

OptionSpec confirm_option() {
  return {.name = "confirm",
          .kind = ValueKind::kText,
          .metavar = "WORDS",
          .help = "All sixteen words of the object, instead of four of them typed on the terminal"};
}

OptionSpec subject_version_option() {
  return {.name = "version-number",
          .kind = ValueKind::kInteger,
          .metavar = "N",
          .help = "Which certificate for this subject it is: 1 for the first",
          .default_text = "1",
          .min = 1,
          .max = 0xFFFFFFFF};
}

CommandSpec show_command() {
  return {.name = "show",
          .section = kSectionSignatures,
          .summary = "explain any key, object or envelope",
          .description =
              "Shows the fields of what FILE holds, its object hash and words, who signed it, and what is "
              "missing. "
              "Text from the file is shown with everything that could drive a terminal escaped. Signatures "
              "are checked "
              "against the keys given, those that the object itself is signed by, and those of the root set "
              "given; a "
              "signature that is 'good' says that the object is whole, not that its signer may be trusted.",
          .positionals = {{.name = "FILE", .help = "What to show", .kind = ValueKind::kPath}},
          .options = {{.name = "public",
                       .kind = ValueKind::kPath,
                       .metavar = "FILE",
                       .help = "Public key to check signatures against",
                       .repeatable = true},
                      root_set_option()},
          .examples = {{"asl-auth-host show certificate.sig --root-set root-set.sig",
                        "Show how far it is signed."}},
          .exit_codes = {4, 5, 8, 10},
          .needs_root = false};
}

CommandSpec sign_command() {
  return {
      .name = "sign",
      .section = kSectionSignatures,
      .summary = "add a signature to an envelope",
      .description =
          "Adds a signature by KEY to the object in FILE, after showing it: for root sets, certificates and "
          "ratifications, which need several. The object must pass every rule of its kind, and the key's "
          "class "
          "must be the one that signs it. The file is replaced by one with the same bytes and one more "
          "signature; "
          "none is ever lost.",
      .positionals = {{.name = "FILE", .help = "Envelope", .kind = ValueKind::kPath}},
      .options =
          with({{.name = "add", .help = "Add a signature; must be given, there is no other way to sign"},
                confirm_option(),
                root_set_option()},
               signing_options()),
      .examples = {{"asl-auth-host sign --add root-set.sig --key b.priv.enc", "Sign as the second of two."}},
      .exit_codes = {4, 5, 7, 8, 9, 10},
      .needs_root = false};
}

CommandSpec policy_new_command() {
  return {.name = "policy new",
          .section = kSectionDomains,
          .summary = "write a policy",
          .description =
              "Writes policy-<policy hash>.json into DIR. Without options it is the policy that most domains "
              "want: "
              "everything signed, executed deterministically and published from snapshots; exports hold "
              "published "
              "data only; nothing unpublished is collected, and the seven newest snapshots are kept.",
          .positionals = {{.name = "DIR",
                           .help = "Where the file goes; without it, the current directory",
                           .kind = ValueKind::kDirectory,
                           .min = 0}},
          .options = {{.name = "policy-version",
                       .kind = ValueKind::kInteger,
                       .metavar = "N",
                       .help = "Version of the policy",
                       .default_text = "1",
                       .min = 1,
                       .max = 0xFFFFFFFF},
                      {.name = "trust",
                       .kind = ValueKind::kText,
                       .metavar = "DOMAIN_ID",
                       .help = "Domain to trust for federation: 40 hex digits",
                       .repeatable = true},
                      {.name = "keep-snapshots",
                       .kind = ValueKind::kInteger,
                       .metavar = "N",
                       .help = "Newest snapshots that gc keeps",
                       .default_text = "7",
                       .max = 0xFFFFFFFF},
                      {.name = "gc-unpublished", .help = "Let gc collect what was never published"}},
          .examples = {{"asl-auth-host policy new policies", "Write the usual policy."}},
          .exit_codes = {7, 8, 9},
          .needs_root = false};
}

CommandSpec policy_hash_command() {
  return {
      .name = "policy hash",
      .section = kSectionDomains,
      .summary = "print the hash of a policy",
      .description =
          "Prints the policy hash: the name under which manifests, certificates and requests refer to it.",
      .positionals = {{.name = "FILE", .help = "Policy", .kind = ValueKind::kPath}},
      .examples = {{"asl-auth-host policy hash policy-*.json", "Print it."}},
      .exit_codes = {4, 8},
      .needs_root = false};
}

CommandSpec policy_check_command() {
  return {
      .name = "policy check",
      .section = kSectionDomains,
      .summary = "check a policy against its hash",
      .description =
          "Checks that FILE is a policy in its one encoding, and that its hash is HASH, or the one in its "
          "file name. With --ratification, also that offline roots ratified it to their threshold.",
      .positionals = {{.name = "FILE", .help = "Policy", .kind = ValueKind::kPath},
                      {.name = "HASH",
                       .help = "64 hex digits; without it, the file name must have them",
                       .min = 0}},
      .options = {{.name = "ratification",
                   .kind = ValueKind::kPath,
                   .metavar = "FILE",
                   .help = "Ratification by the roots of --root-set"},
                  root_set_option()},
      .examples = {{"asl-auth-host policy check policies/policy-f22a*.json",
                    "Check a file against its name."}},
      .exit_codes = {4, 5, 7, 8},
      .needs_root = false};
}

CommandSpec policy_ratify_command() {
  return {
      .name = "policy ratify",
      .section = kSectionRoots,
      .summary = "declare, as an offline root, that a domain runs under a policy",
      .description = "Writes a ratification signed by KEY. Further roots sign it with 'sign --add'.",
      .positionals = {{.name = "FILE", .help = "Policy", .kind = ValueKind::kPath},
                      {.name = "DOMAIN_ID", .help = "40 hex digits"}},
      .options = with({to_option("Where the envelope goes; must be given")}, signing_options()),
      .examples = {{"asl-auth-host policy ratify policy-f22a*.json bd09c28bbda440f86d133ad43e75caf7cffd69d4 "
                    "--key a.priv.enc --to ratification.sig",
                    "Ratify a policy."}},
      .exit_codes = {4, 5, 7, 8, 9},
      .needs_root = false};
}

CommandSpec dam_new_command() {
  return {
      .name = "dam new",
      .section = kSectionDomains,
      .summary = "issue a domain's manifest, or the next version of it",
      .description =
          "Without --chain it makes version 1: the key that signs becomes the domain's root, and --to names "
          "the new chain "
          "file. With --chain it makes the next version, with what the options change, and adds it to that "
          "file.\n\n"
          "Where the root key changes, both the old and the new one sign: give --key twice. Nothing is "
          "written unless "
          "the whole chain verifies.",
      .options = with(
          {chain_option("Chain to continue"),
           to_option("Where a new chain goes"),
           {.name = "policy",
            .kind = ValueKind::kPath,
            .metavar = "FILE",
            .help = "Policy that holds from this version on; version 1 needs one"},
           {.name = "principal",
            .kind = ValueKind::kText,
            .metavar = "FILE=ROLES",
            .help =
                "Public key file and the roles of its key, parted by commas, or 'all': add the principal, "
                "or give it these roles instead",
            .repeatable = true},
           {.name = "remove",
            .kind = ValueKind::kText,
            .metavar = "KEY_ID",
            .help = "Principal to take out",
            .repeatable = true},
           {.name = "new-root",
            .kind = ValueKind::kPath,
            .metavar = "FILE",
            .help = "Public key file of the new root key"},
           {.name = "dry-run",
            .help = "Show the manifest and its words; no pass phrase is asked for, nothing is written"},
           {.name = "confirm",
            .kind = ValueKind::kText,
            .metavar = "WORDS",
            .help = "Sign only if these are all sixteen words of the manifest, as a dry run showed them"}},
          signing_options()),
      .examples =
          {{"asl-auth-host dam new --policy policy-f22a*.json --principal host.pub=all --key root.priv.enc "
            "--to dam.chain",
            "Issue version 1."},
           {"asl-auth-host dam new --chain dam.chain --principal ann.pub=produce --key root.priv.enc",
            "Add a principal."},
           {"asl-auth-host dam new --chain dam.chain --new-root new.pub --key root.priv.enc --key "
            "new.priv.enc",
            "Replace the root key."}},
      .exit_codes = {4, 5, 7, 8, 9},
      .needs_root = false};
}

CommandSpec dam_verify_command() {
  return {.name = "dam verify",
          .section = kSectionDomains,
          .summary = "verify a chain of manifests",
          .description =
              "Checks every version from the first: domain id, links, signatures. Prints the domain and its "
              "newest version. A chain cannot show that there is no newer one.",
          .positionals = {{.name = "FILE", .help = "Chain", .kind = ValueKind::kPath}},
          .examples = {{"asl-auth-host dam verify dam.chain", "Verify a chain."}},
          .exit_codes = {4, 5, 7, 8},
          .needs_root = false};
}

CommandSpec dam_show_command() {
  return {.name = "dam show",
          .section = kSectionDomains,
          .summary = "show the versions of a manifest and what changed",
          .description =
              "Verifies the chain and lists every version with its hash, root key, policy and principals.",
          .positionals = {{.name = "FILE", .help = "Chain", .kind = ValueKind::kPath}},
          .examples = {{"asl-auth-host dam show dam.chain", "Show a chain."}},
          .exit_codes = {4, 5, 7, 8},
          .needs_root = false};
}

CommandSpec root_set_new_command() {
  return {
      .name = "root-set new",
      .section = kSectionRoots,
      .summary = "make a root set, or the next version of one",
      .description =
          "Writes a root set of one to three offline root keys, signed by the keys given. Others sign the "
          "file with "
          "'sign --add' until it has reached its threshold and, for a later version, that of the one before. "
          "Version 1 is trusted by its words alone: compare them by voice.",
      .options = with({{.name = "public",
                        .kind = ValueKind::kPath,
                        .metavar = "FILE",
                        .help = "Public key file of a root; one to three",
                        .repeatable = true},
                       {.name = "threshold",
                        .kind = ValueKind::kInteger,
                        .metavar = "N",
                        .help = "How many of them it takes; must be given",
                        .min = 1,
                        .max = 3},
                       {.name = "after",
                        .kind = ValueKind::kPath,
                        .metavar = "FILE",
                        .help = "The versions before, in order, in one file or in several",
                        .repeatable = true},
                       to_option("Where the envelope goes; must be given")},
                      signing_options()),
      .examples = {{"asl-auth-host root-set new --public a.pub --public b.pub --public c.pub --threshold 2 "
                    "--key a.priv.enc --to root-set.sig",
                    "Two of three."}},
      .exit_codes = {4, 5, 7, 8, 9},
      .needs_root = false};
}

CommandSpec root_set_verify_command() {
  return {.name = "root-set verify",
          .section = kSectionRoots,
          .summary = "verify a root set, all versions of it",
          .description =
              "Checks every version from the first, and prints the newest with its words. With --words, also "
              "that version 1 is the one with these words: without them nothing says whose roots they are.",
          .positionals = {{.name = "FILE",
                           .help = "The versions in order, in one file or in several",
                           .kind = ValueKind::kPath,
                           .max = kUnlimited}},
          .options = {{.name = "words",
                       .kind = ValueKind::kText,
                       .metavar = "WORDS",
                       .help = "The sixteen words of version 1, as they were read to you"}},
          .examples = {{"asl-auth-host root-set verify root-set.sig", "Verify one."}},
          .exit_codes = {4, 5, 7, 8},
          .needs_root = false};
}

CommandSpec cert_request_command() {
  return {
      .name = "cert request",
      .section = kSectionRoots,
      .summary = "ask offline roots for a certificate",
      .description =
          "Writes a request for the domain's root key, or for one of its principals, signed by the root key. "
          "It asks for what the newest manifest in CHAIN says.",
      .options = with({chain_option("The domain's manifests; must be given"),
                       {.name = "principal",
                        .kind = ValueKind::kText,
                        .metavar = "KEY_ID",
                        .help = "Principal to ask for; without it, the root key"},
                       subject_version_option(),
                       to_option("Where the envelope goes; must be given")},
                      signing_options()),
      .examples = {{"asl-auth-host cert request --chain dam.chain --key root.priv.enc --to request.sig",
                    "Ask for the root key."}},
      .exit_codes = {4, 5, 7, 8, 9},
      .needs_root = false};
}

CommandSpec cert_issue_command() {
  return {
      .name = "cert issue",
      .section = kSectionRoots,
      .summary = "issue, as an offline root, the certificate that was asked for",
      .description =
          "Checks the request: signed by the root key of CHAIN, and asking for what its manifest says. Shows "
          "it, asks "
          "for some of its words, and writes a certificate by the newest root set, signed by KEY. Further "
          "roots sign "
          "with 'sign --add'; below the threshold it counts for nothing.",
      .positionals = {{.name = "REQUEST", .help = "Envelope of the request", .kind = ValueKind::kPath}},
      .options = with({chain_option("The domain's manifests; must be given"), root_set_option(),
                       to_option("Where the envelope goes; must be given"), confirm_option()},
                      signing_options()),
      .examples =
          {{"asl-auth-host cert issue request.sig --chain dam.chain --root-set root-set.sig --key a.priv.enc "
            "--to certificate.sig",
            "Issue a certificate."}},
      .exit_codes = {4, 5, 7, 8, 9},
      .needs_root = false};
}

CommandSpec cert_verify_command() {
  return {.name = "cert verify",
          .section = kSectionRoots,
          .summary = "verify a certificate",
          .description =
              "Checks that the root set that the certificate names is one of those given, and that enough of "
              "its keys have signed. With --chain, also that the manifest says what the certificate says.",
          .positionals = {{.name = "FILE", .help = "Envelope of the certificate", .kind = ValueKind::kPath}},
          .options = {root_set_option(), chain_option("The domain's manifests")},
          .examples = {{"asl-auth-host cert verify certificate.sig --root-set root-set.sig", "Verify one."}},
          .exit_codes = {4, 5, 7, 8},
          .needs_root = false};
}

}  // namespace

std::vector<CommandSpec> object_commands() {
  return {show_command(),         sign_command(),          policy_new_command(),      policy_hash_command(),
          policy_check_command(), policy_ratify_command(), dam_new_command(),         dam_verify_command(),
          dam_show_command(),     root_set_new_command(),  root_set_verify_command(), cert_request_command(),
          cert_issue_command(),   cert_verify_command()};
}

}  // namespace asl::cli
