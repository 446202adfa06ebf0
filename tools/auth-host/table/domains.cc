#include "auth_host_table.h"

namespace asl::cli {
namespace {

OptionSpec root_words_option() {
  return {.name = "root-words",
          .kind = ValueKind::kText,
          .metavar = "WORDS",
          .help = "All sixteen words of the root set's version 1, from its holders: they pin it"};
}

OptionSpec image_option() {
  return {.name = "image-sha256",
          .kind = ValueKind::kText,
          .metavar = "HASH",
          .help = "SHA-256 of the image that this machine was booted from, for the environment claim"};
}

std::vector<OptionSpec> genesis_options() {
  return with(
      with(
          {{.name = "root-key",
            .kind = ValueKind::kPath,
            .metavar = "FILE",
            .help = "Private root key made before and kept elsewhere; without it, a new one is made on this "
                    "host"},
           {.name = "key",
            .letter = 'k',
            .kind = ValueKind::kPath,
            .metavar = "FILE",
            .help = "Operational key made before and kept elsewhere; without it, a new one is made here"},
           {.name = "principal",
            .kind = ValueKind::kText,
            .metavar = "FILE=ROLES",
            .help = "Public key file and roles of a further principal, parted by commas, or 'all'",
            .repeatable = true},
           {.name = "requester",
            .kind = ValueKind::kPath,
            .metavar = "FILE",
            .help = "Public key of somebody who may send requests: a principal with the role produce",
            .repeatable = true},
           {.name = "policy",
            .kind = ValueKind::kPath,
            .metavar = "FILE",
            .help = "Policy; without it, the one that 'policy new' writes"},
           {.name = "root-set",
            .kind = ValueKind::kPath,
            .metavar = "FILE",
            .help = "Root set that is to certify the domain; nothing works then until a certificate is bound",
            .repeatable = true},
           root_words_option(),
           image_option(),
           kdf_option()},
          date_options()),
      with(phrase_options(), pass_options()));
}

CommandSpec genesis_row(std::string_view name) {
  return {
      .name = name,
      .section = kSectionDomains,
      .summary = "make a keyed domain, in one ceremony",
      .description =
          "Makes a domain that can publish and sign: its two keys, encrypted by one pass phrase; an empty "
          "store whose first log record names the root key; a policy, an environment claim and the first "
          "manifest, signed and bound in the log; snapshot 1, the tree of its authority; and domain.card, "
          "for "
          "those who will send it requests. A store is made where there is none.\n\n"
          "The key files are written, read back and tried before the log names them. A ceremony that was "
          "interrupted goes on when the same command is given again.\n\n"
          "Afterwards copy certs/root.priv.enc to media that lie elsewhere, check them with 'key check', and "
          "take it away from the host: it is needed only when principals change.",
      .positionals = {{.name = "NAME", .help = "Name of the domain: letters, digits, '.', '_', '-'"}},
      .options = genesis_options(),
      .examples = {{"asl-auth-host --root /asl genesis archive", "Make a first domain."},
                   {"asl-auth-host genesis archive --root-key /media/usb/root.priv.enc --date 2026-11-21",
                    "With a root key that stays on its stick."}},
      .exit_codes = {3, 4, 5, 7, 8, 9}};
}

CommandSpec domain_show_row() {
  return {.name = "domain show",
          .section = kSectionDomains,
          .summary = "show what a domain's log says about its authority",
          .description =
              "Reads every object that the log binds, verifies it, and shows what holds now: manifest, "
              "principals, policy, root set, certificate. Objects that break a rule have no effect and are "
              "named.",
          .positionals = {{.name = "NAME", .help = "Domain; without it, the one of --domain", .min = 0}},
          .examples = {{"asl-auth-host domain show archive", "Show it."}},
          .exit_codes = {4, 5, 7, 10}};
}

CommandSpec dam_issue_row() {
  return {
      .name = "dam issue",
      .section = kSectionDomains,
      .summary = "change a domain's manifest",
      .description =
          "Issues the next version of the domain's manifest with what the options change, signed by the "
          "domain's root key, and binds it in the log after an environment claim. Add a principal or change "
          "its roles with --principal, take one out with --remove, replace a key with both, the root key "
          "with "
          "--new-root and both root keys as --root-key, the policy with --policy.\n\n"
          "'dam new' does the same to a chain in a file, on a machine without the store; 'bind' brings its "
          "result here.",
      .options = with(
          with({{.name = "principal",
                 .kind = ValueKind::kText,
                 .metavar = "FILE=ROLES",
                 .help = "Public key file and the roles of its key, parted by commas, or 'all'",
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
                {.name = "policy",
                 .kind = ValueKind::kPath,
                 .metavar = "FILE",
                 .help = "Policy that holds from this version on"},
                {.name = "root-key",
                 .kind = ValueKind::kPath,
                 .metavar = "FILE",
                 .help = "Private root key; without it, the domain's own, certs/root.priv.enc. Twice where "
                         "the root key changes",
                 .repeatable = true},
                {.name = "key",
                 .letter = 'k',
                 .kind = ValueKind::kPath,
                 .metavar = "FILE",
                 .help = "Operational key that signs the environment claim; without it, nobody does"},
                image_option()},
               date_options()),
          pass_options()),
      .examples = {{"asl-auth-host dam issue --principal ann.pub=produce", "Add a requester."},
                   {"asl-auth-host dam issue --new-root new.pub --root-key root.priv.enc --root-key "
                    "new.priv.enc",
                    "Replace the root key."}},
      .exit_codes = {3, 4, 5, 7, 8, 9, 10}};
}

CommandSpec bind_row() {
  return {
      .name = "bind",
      .section = kSectionDomains,
      .summary = "bind in a domain's log what was signed elsewhere",
      .description =
          "Takes root sets, certificates, ratifications, chains of manifests and policies, checks each as "
          "every later reader will, and binds in one commit what the log does not have yet. Nothing is "
          "bound if one of them is refused.\n\n"
          "The first root set is pinned by its words. From then on the domain acts only while a "
          "certificate covers its root key and policy.\n\n"
          "Two valid manifests of one version are both kept, and end the domain: the root key is in two "
          "hands.",
      .positionals = {{.name = "FILE",
                       .help = "One object or envelope a line",
                       .kind = ValueKind::kPath,
                       .max = kUnlimited}},
      .options = {root_words_option()},
      .examples = {{"asl-auth-host bind certificate.sig", "Bind a certificate."}},
      .exit_codes = {3, 4, 5, 7, 8, 9, 10}};
}

CommandSpec publish_row() {
  return {
      .name = "publish",
      .section = kSectionDomains,
      .summary = "publish a snapshot",
      .description =
          "Signs that everything SNAPSHOT reaches may leave the domain, and records it in the log. The key "
          "must be a principal's with the role publish, and the policy must allow it.",
      .positionals = {{.name = "SNAPSHOT", .help = "Number, label or 'latest'"}},
      .options = with({operational_key_option()}, pass_options()),
      .examples = {{"asl-auth-host publish 7", "Publish snapshot 7."}},
      .exit_codes = {3, 4, 5, 7, 8, 9, 10}};
}

CommandSpec attest_row() {
  return {
      .name = "attest",
      .section = kSectionDomains,
      .summary = "certify what a snapshot represents",
      .description =
          "Signs a statement about SNAPSHOT, outside any program run, and binds it in the log: by default, "
          "that it represents its source as of the log record that made it. The key must be a principal's "
          "with the role execute.",
      .positionals = {{.name = "SNAPSHOT", .help = "Number, label or 'latest'"}},
      .options = with({{.name = "value",
                        .kind = ValueKind::kText,
                        .metavar = "TEXT",
                        .help = "What the snapshot represents, in other words"},
                       {.name = "to",
                        .kind = ValueKind::kPath,
                        .metavar = "FILE",
                        .help = "Write the signed statement here as well"},
                       operational_key_option()},
                      pass_options()),
      .examples = {{"asl-auth-host attest latest --value 'disk of case 17, read by ann'", "Say what it is."}},
      .exit_codes = {3, 4, 5, 7, 8, 9, 10}};
}

CommandSpec date_row() {
  return {.name = "date",
          .section = kSectionDomains,
          .summary = "record the date, as the operator knows it",
          .description =
              "No clock of an offline machine is trusted: leases are judged against the last date that an "
              "operator confirmed. A date before the last one needs a reason, and both stay in the log.",
          .options = with(date_options(), {{.name = "reason",
                                            .kind = ValueKind::kText,
                                            .metavar = "TEXT",
                                            .help = "Why a date is corrected backwards"}}),
          .examples = {{"asl-auth-host date --date 2026-11-21", "Confirm a date."}},
          .exit_codes = {3, 4, 5, 7, 9, 10}};
}

CommandSpec card_row() {
  return {
      .name = "card",
      .section = kSectionDomains,
      .summary = "write the domain card",
      .description =
          "Writes what somebody needs to send this domain requests and to check its answers: the chain of "
          "manifests, the policy, and where the log stands, signed. To be renewed when the manifest "
          "changes; whoever gets one compares the manifest's words.",
      .options = with({{.name = "to",
                        .kind = ValueKind::kPath,
                        .metavar = "FILE",
                        .help = "Where it goes; without it, domain.card in the domain's directory"},
                       operational_key_option()},
                      pass_options()),
      .examples = {{"asl-auth-host card --to /media/usb/domain.card", "Write it to a stick."}},
      .exit_codes = {4, 5, 7, 8, 9, 10}};
}

CommandSpec log_head_row() {
  return {
      .name = "log head",
      .section = kSectionLog,
      .summary = "sign where the log stands",
      .description =
          "Signs the number and hash of the log's last record. Kept elsewhere, it shows later whether the "
          "log was rolled back or exchanged: see 'log check'.",
      .options = with({{.name = "to",
                        .kind = ValueKind::kPath,
                        .metavar = "FILE",
                        .help = "Where it goes; without it, env-claims/<hash>.head of the host"},
                       operational_key_option()},
                      pass_options()),
      .examples = {{"asl-auth-host log head --to /media/usb/today.head", "Sign it."}},
      .exit_codes = {4, 5, 7, 8, 9, 10}};
}

CommandSpec log_check_row() {
  return {
      .name = "log check",
      .section = kSectionLog,
      .summary = "prove that the log continues a signed head",
      .description =
          "Checks that HEAD is this domain's, signed by a key that held the role execute, and that the log "
          "has that very record. A log that was cut back or exchanged is exit 5.",
      .positionals = {{.name = "HEAD", .help = "Signed log head", .kind = ValueKind::kPath}},
      .examples = {{"asl-auth-host log check /media/usb/today.head", "Check against an old head."}},
      .exit_codes = {4, 5, 7, 8, 10}};
}

CommandSpec audit_row() {
  return {
      .name = "audit",
      .section = kSectionLog,
      .summary = "check a domain's authority from genesis to head",
      .description =
          "Reads the whole log and every object that it binds, and checks each again by the rules that held "
          "when it was bound: chain, manifests, policies, root sets, certificates, claims, publications, "
          "statements, dates. Problems are listed with their log record; exit 5 if there are any.",
      .positionals = {{.name = "DOMAIN", .help = "Domain; without it, the one of --domain", .min = 0}},
      .examples = {{"asl-auth-host audit archive", "Audit it."}},
      .exit_codes = {4, 5, 10}};
}

}  // namespace

std::vector<OptionSpec> date_options() {
  return {{.name = "date",
           .kind = ValueKind::kText,
           .metavar = "YYYY-MM-DD",
           .help =
               "Date of the ceremony, as the operator knows it; without it, it is asked for on the terminal. "
               "Given twice, it may lie more than 400 days after the last one",
           .repeatable = true}};
}

OptionSpec root_key_option() {
  return {.name = "root-key",
          .kind = ValueKind::kPath,
          .metavar = "FILE",
          .help = "Private root key; without it, the domain's own, certs/root.priv.enc",
          .repeatable = true};
}

OptionSpec operational_key_option() {
  return {.name = "key",
          .letter = 'k',
          .kind = ValueKind::kPath,
          .metavar = "FILE",
          .help = "Operational key; without it, the domain's own, certs/dam-signer.priv.enc"};
}

std::vector<CommandSpec> domain_commands() {
  return {genesis_row("genesis"),
          genesis_row("domain create"),
          domain_show_row(),
          dam_issue_row(),
          bind_row(),
          publish_row(),
          attest_row(),
          date_row(),
          card_row(),
          log_head_row(),
          log_check_row(),
          audit_row()};
}

}  // namespace asl::cli
