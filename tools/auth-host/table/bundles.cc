#include "auth_host_table.h"

namespace asl::cli {
namespace {

OptionSpec identity_option() {
  return {.name = "identity",
          .kind = ValueKind::kPath,
          .metavar = "FILE",
          .help = "age identity file (AGE-SECRET-KEY-1..., one a line); must be given"};
}

CommandSpec bundle_create_row() {
  return {
      .name = "bundle create",
      .section = kSectionBundles,
      .summary = "put a domain's authority into an encrypted file",
      .description =
          "Writes a SOPS file for age recipients: the chain of manifests, the policy, and what the purpose "
          "needs, signed by the domain's root key. For admission it carries a request to be admitted; for "
          "recovery the root key itself, and only to recipients that host/host-policy.json lists. Beside it "
          "lies FILE.sha256. Read out the words that are shown: whoever opens it compares them.",
      .options =
          with({{.name = "purpose",
                 .kind = ValueKind::kEnum,
                 .metavar = "PURPOSE",
                 .help = "What it is for; must be given",
                 .choices = {"admission", "rescue", "recovery"}},
                {.name = "recipient",
                 .kind = ValueKind::kText,
                 .metavar = "AGE1...",
                 .help = "Who can open it; must be given",
                 .repeatable = true},
                {.name = "request",
                 .kind = ValueKind::kPath,
                 .metavar = "FILE",
                 .help = "Request of 'admission request', for admission"},
                {.name = "artifact",
                 .kind = ValueKind::kPath,
                 .metavar = "FILE",
                 .help = "An envelope that may help: a certificate, a receipt",
                 .repeatable = true},
                {.name = "notes", .kind = ValueKind::kText, .metavar = "TEXT", .help = "A line for people"},
                {.name = "to",
                 .kind = ValueKind::kPath,
                 .metavar = "FILE",
                 .help = "Where it goes, instead of sops-bundles/asl-PURPOSE-DOMAIN.sops.yaml in the "
                         "root"},
                root_key_option()},
               pass_options()),
      .examples = {{"asl-auth-host bundle create --purpose recovery --recipient age1... --recipient age1...",
                    "A copy of the root key for two people."}},
      .exit_codes = {4, 5, 7, 8, 9, 10}};
}

CommandSpec bundle_verify_row() {
  return {.name = "bundle verify",
          .section = kSectionBundles,
          .summary = "check a bundle by every rule, and show who can open it",
          .description =
              "Decrypts, checks MAC, signature, recipients, manifests, policy and request, and shows none of "
              "what is secret. Where --root holds a domain, what it knows decides; else the bundle is "
              "judged by itself. To be run before any 'sops rotate', which hands the contents to whoever "
              "was added as a recipient.",
          .positionals = {{.name = "FILE", .help = "Bundle, YAML or JSON", .kind = ValueKind::kPath}},
          .options = {identity_option()},
          .examples = {{"asl-auth-host bundle verify asl-rescue-52e89ec6aa01.sops.yaml --identity me.age",
                        "Check it."}},
          .exit_codes = {4, 5, 7, 8, 10}};
}

CommandSpec bundle_open_row() {
  return {
      .name = "bundle open",
      .section = kSectionBundles,
      .summary = "take out what a bundle carries",
      .description =
          "Checks as 'bundle verify' does, asks for all sixteen words of the contents, and writes the parts "
          "that are no secret. The root key of a bundle for recovery is written by --reinstall-root only: "
          "encrypted by a new pass phrase, as certs/root.priv.enc of the domain, whose log then says that "
          "the "
          "bundle is used up. Destroy the bundle afterwards.",
      .positionals = {{.name = "FILE", .help = "Bundle, YAML or JSON", .kind = ValueKind::kPath}},
      .options = with(with({identity_option(),
                            {.name = "confirm",
                             .kind = ValueKind::kText,
                             .metavar = "WORDS",
                             .help = "All sixteen words, instead of typing them on the terminal"},
                            {.name = "to",
                             .kind = ValueKind::kPath,
                             .metavar = "DIR",
                             .help = "Write root.pub, dam.chain, the policy, request and artifacts as new "
                                     "files there"},
                            {.name = "reinstall-root", .help = "Make the root key the domain's own again"},
                            {.name = "new-pass-file",
                             .kind = ValueKind::kPath,
                             .metavar = "FILE",
                             .help = "Read the root key's new pass phrase from FILE"},
                            {.name = "new-pass-fd",
                             .kind = ValueKind::kInteger,
                             .metavar = "N",
                             .help = "Read the new pass phrase from the open descriptor N",
                             .max = 1023},
                            kdf_option()},
                           phrase_options()),
                      {}),
      .examples = {{"asl-auth-host bundle open asl-recovery-52e89ec6aa01.sops.yaml --identity me.age "
                    "--reinstall-root",
                    "Get the root key back."}},
      .exit_codes = {3, 4, 5, 7, 8, 9, 10}};
}

}  // namespace

std::vector<CommandSpec> bundle_commands() {
  return {bundle_create_row(), bundle_verify_row(), bundle_open_row()};
}

}  // namespace asl::cli
