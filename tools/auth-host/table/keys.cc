#include "auth_host_table.h"

namespace asl::cli {

OptionSpec kdf_option() {
  return {
      .name = "kdf",
      .kind = ValueKind::kEnum,
      .metavar = "COST",
      .help =
          "What each guess of the pass phrase costs: 'default' is 1 GiB of memory and 4 passes of Argon2id, "
          "'moderate' 256 MiB and 3, for machines without a free gibibyte",
      .default_text = "default",
      .choices = {"default", "moderate"}};
}

std::vector<OptionSpec> phrase_options() {
  return {
      {.name = "generate",
       .help =
           "Make the pass phrase of random words, 8 bits of entropy each, and show it once on the terminal"},
      {.name = "words",
       .kind = ValueKind::kInteger,
       .metavar = "N",
       .help = "Number of words for --generate",
       .default_text = "10",
       .min = 8,
       .max = 24}};
}

namespace {

CommandSpec key_new_command() {
  return {
      .name = "key new",
      .section = kSectionKeys,
      .summary = "make a key",
      .description =
          "Makes a key pair: NAME.priv.enc, encrypted by a pass phrase, and NAME.pub. The private file is "
          "read back "
          "from the disk, decrypted, and signs a test before anything is reported; existing files are never "
          "overwritten.\n\n"
          "The class says what the key is for, for good. An offline-root key certifies domains; a "
          "domain-root key is a "
          "domain and signs its manifests; an operational key does a host's or a requester's daily work.",
      .positionals = {{.name = "NAME",
                       .help = "Path of the files, without their endings",
                       .kind = ValueKind::kPath}},
      .options = with(
          with({{.name = "class",
                 .kind = ValueKind::kEnum,
                 .metavar = "CLASS",
                 .help = "What the key is for; must be given",
                 .choices = {"offline-root", "domain-root", "operational"}},
                {.name = "comment",
                 .kind = ValueKind::kText,
                 .metavar = "TEXT",
                 .help = "Comment for the public key file, at most 128 bytes; nothing depends on it"},
                {.name = "dice",
                 .help = "Ask on the terminal for dice rolls, without echo, and mix them into the system's "
                         "randomness: the "
                         "key is as unpredictable as the better of the two. 50 rolls of a die have 129 bits"},
                {.name = "mix-file",
                 .kind = ValueKind::kPath,
                 .metavar = "FILE",
                 .help = "Mix in the content of FILE instead: another generator's output, at most 64 KiB"},
                kdf_option()},
               phrase_options()),
          pass_options()),
      .examples = {{"asl-auth-host key new root --class domain-root", "Make a domain's root key."},
                   {"asl-auth-host key new a --class offline-root --generate --dice",
                    "Make an offline root key with dice mixed in and a generated pass phrase."}},
      .exit_codes = {7, 8, 9},
      .needs_root = false};
}

CommandSpec key_show_command() {
  return {.name = "key show",
          .section = kSectionKeys,
          .summary = "show what a key file says",
          .description =
              "Shows class, key id and words of a public or private key file. No pass phrase is needed; what "
              "a private key file says of itself is proved only by 'key check'.",
          .positionals = {{.name = "FILE", .help = "NAME.pub or NAME.priv.enc", .kind = ValueKind::kPath}},
          .examples = {{"asl-auth-host key show root.pub", "Show a public key."}},
          .exit_codes = {4, 5, 8},
          .needs_root = false};
}

CommandSpec key_check_command() {
  return {.name = "key check",
          .section = kSectionKeys,
          .summary = "prove that a private key file still works",
          .description =
              "Decrypts the file, makes the public key again and signs a test: for backups, years later. A "
              "wrong pass phrase is exit 7, a damaged file exit 5.",
          .positionals = {{.name = "FILE", .help = "NAME.priv.enc", .kind = ValueKind::kPath}},
          .options = with({{.name = "public",
                            .kind = ValueKind::kPath,
                            .metavar = "FILE",
                            .help = "Also compare with this public key file"}},
                          pass_options()),
          .examples = {{"asl-auth-host key check /media/usb/root.priv.enc", "Check a backup."}},
          .exit_codes = {4, 5, 7, 8, 9},
          .needs_root = false};
}

CommandSpec key_passwd_command() {
  return {
      .name = "key passwd",
      .section = kSectionKeys,
      .summary = "change the pass phrase of a private key file",
      .description =
          "Encrypts the key anew, with new salt and nonce, reads the new file back and tries it, and only "
          "then replaces the old one. Copies elsewhere keep the old pass phrase.",
      .positionals = {{.name = "FILE", .help = "NAME.priv.enc", .kind = ValueKind::kPath}},
      .options = with(with({{.name = "new-pass-file",
                             .kind = ValueKind::kPath,
                             .metavar = "FILE",
                             .help = "Read the new pass phrase from FILE"},
                            {.name = "new-pass-fd",
                             .kind = ValueKind::kInteger,
                             .metavar = "N",
                             .help = "Read the new pass phrase from the open descriptor N",
                             .max = 1023},
                            kdf_option()},
                           phrase_options()),
                      pass_options()),
      .examples = {{"asl-auth-host key passwd root.priv.enc", "Ask for both pass phrases on the terminal."}},
      .exit_codes = {4, 5, 7, 8, 9},
      .needs_root = false};
}

}  // namespace

std::vector<CommandSpec> key_commands() {
  return {key_new_command(), key_show_command(), key_check_command(), key_passwd_command()};
}

}  // namespace asl::cli
