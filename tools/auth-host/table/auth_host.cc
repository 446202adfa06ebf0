#include "auth_host_table.h"
#include "program.h"
#include "version.h"

namespace asl::cli {
namespace {

std::vector<CommandSpec> all_commands() {
  std::vector<CommandSpec> all = key_commands();
  for (auto& command : object_commands()) all.push_back(std::move(command));
  for (auto& command : domain_commands()) all.push_back(std::move(command));
  for (auto& command : admission_commands()) all.push_back(std::move(command));
  for (auto& command : bundle_commands()) all.push_back(std::move(command));
  for (auto& command : common_commands(kSectionAuthHelp)) all.push_back(std::move(command));
  return all;
}

}  // namespace

std::vector<OptionSpec> with(std::vector<OptionSpec> options, const std::vector<OptionSpec>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

std::vector<OptionSpec> pass_options() {
  return {
      {.name = "pass-file",
       .kind = ValueKind::kPath,
       .metavar = "FILE",
       .help =
           "Read the pass phrase from FILE, less one final line feed; without this and --pass-fd it is asked "
           "for on the terminal. Given several times, once for each --key in their order",
       .repeatable = true},
      {.name = "pass-fd",
       .kind = ValueKind::kInteger,
       .metavar = "N",
       .help = "Read the pass phrase from the open descriptor N, one line for each key",
       .max = 1023}};
}

std::vector<OptionSpec> signing_options() {
  return with({{.name = "key",
                .letter = 'k',
                .kind = ValueKind::kPath,
                .metavar = "FILE",
                .help = "Private key file (*.priv.enc) to sign with",
                .repeatable = true}},
              pass_options());
}

ProgramSpec auth_host_table() {
  return {
      .name = "asl-auth-host",
      .version = kVersion,
      .date = "2026-11-21",
      .summary = "keys, signatures and authority of ASL domains",
      .description =
          "asl-auth-host makes and keeps the keys of ASL domains, and signs and checks what gives them "
          "authority: "
          "policies, manifests, root sets, certificates. It needs no network, and the machine that runs it "
          "should have "
          "none.\n\n"
          "A key belongs to one class and signs only the objects of that class. Every object is a file; "
          "every "
          "signature is a DSSE envelope that other tools can check as well. An object's words are its "
          "fingerprint, to "
          "be compared by voice: sixteen words of the PGP word list.\n\n"
          "Pass phrases are asked for on the terminal, or come from a file or a descriptor; never from the "
          "command "
          "line or the environment.",
      .sections = {kSectionKeys, kSectionSignatures, kSectionDomains, kSectionPeers, kSectionBundles,
                   kSectionLog, kSectionRoots, kSectionAuthHelp},
      .options = common_options(),
      .commands = all_commands(),
      .groups = {{"key", "make, show, check and re-encrypt keys"},
                 {"policy", "make, hash, check and ratify policies"},
                 {"dam", "issue and verify a domain's manifests"},
                 {"domain", "make a keyed domain, show its authority, change the state of another"},
                 {"admission", "ask another domain to be admitted"},
                 {"bundle", "carry authority to another machine, encrypted"},
                 {"log", "sign and check where a log stands"},
                 {"root-set", "make, rotate and verify root sets"},
                 {"cert", "request, issue and verify certificates"}},
      .environment = {{"ASL_ROOT", "Directory that holds the store where --root is not given."},
                      {"TERM", "'dumb' turns the progress line off."}},
      .files = {{"NAME.pub", "A public key: one line of text."},
                {"NAME.priv.enc", "A private key, encrypted by a pass phrase; mode 0600."},
                {"*.sops.yaml", "A bundle: authority on its way to another machine, encrypted; a SOPS file."},
                {"*.sig", "An envelope: an object and the signatures on it."}},
      .see_also = {"asl(1)", "age(1)", "sops(1)", "minisign(1)"},
  };
}

}  // namespace asl::cli
