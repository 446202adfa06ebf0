#include "asl_table.h"

namespace asl::cli {
namespace {

CommandSpec init_command() {
  return {
      .name = "init",
      .section = kSectionStores,
      .summary = "make a store",
      .description =
          "Makes a root directory with one local domain, which is enough to ingest, mount and restore. A "
          "local "
          "domain has no key: it cannot sign or publish. An existing store is left as it is and reported "
          "as an error.",
      .positionals = {{.name = "DIR",
                       .help = "Where; without it, as --root says",
                       .kind = ValueKind::kDirectory,
                       .min = 0}},
      .options = {{.name = "alias",
                   .kind = ValueKind::kText,
                   .metavar = "NAME",
                   .help = "Name of the first domain",
                   .default_text = "local"}},
      .examples = {{"asl init /srv/asl && export ASL_ROOT=/srv/asl", "Make a store and use it from now on."}},
      .exit_codes = {3, 7, 9}};
}

CommandSpec domain_create_command() {
  return {.name = "domain create",
          .section = kSectionStores,
          .summary = "add a local domain to the store",
          .description =
              "Makes another domain with its own log, snapshots and data. Like that of 'asl init' it is "
              "local and "
              "has no key.",
          .positionals = {{.name = "NAME", .help = "Alias of the new domain"}},
          .examples = {{"asl domain create archive", "Make a second domain."}},
          .exit_codes = {3, 4, 7, 9}};
}

CommandSpec domain_list_command() {
  return {
      .name = "domain list",
      .section = kSectionStores,
      .summary = "list the domains of the store",
      .description = "Lists every domain with its alias, its number of snapshots and the time of the latest.",
      .examples = {{"asl domain list", "List them."}},
      .exit_codes = {4, 5}};
}

CommandSpec domain_show_command() {
  return {
      .name = "domain show",
      .section = kSectionStores,
      .summary = "show one domain",
      .description = "Shows a domain's id, alias, state, current snapshot, and where its log stands.",
      .positionals = {{.name = "NAME", .help = "Alias or id; without it, the one --domain names", .min = 0}},
      .examples = {{"asl domain show archive", "Show one."}},
      .exit_codes = {4, 5}};
}

constexpr std::string_view kStoreHelp = "The other store: its root, or one domain's directory";

OptionSpec compress_option() {
  return {.name = "compress",
          .kind = ValueKind::kText,
          .metavar = "HOW",
          .help =
              "'off', 'zstd', 'zstd:LEVEL' (1 to 19) or 'auto', for what is written; it need not be what the "
              "source has",
          .default_text = "off",
          .config_key = "store.compress"};
}

OptionSpec jobs_option() {
  return {.name = "jobs",
          .letter = 'j',
          .kind = ValueKind::kInteger,
          .metavar = "N",
          .help = "Number of working threads; without it, one for each processor",
          .config_key = "store.jobs",
          .min = 1,
          .max = 256};
}

OptionSpec salvage_option() {
  return {.name = "salvage",
          .help =
              "Make snapshots visible although something they name could not be copied; they get the tag "
              "'incomplete-copy', and reading what is missing fails"};
}

PositionalSpec store_positional() {
  return {.name = "STORE", .help = kStoreHelp, .kind = ValueKind::kDirectory};
}

PositionalSpec ids_positional() {
  return {
      .name = "ID",
      .help = "Snapshot to copy; without any, all of them, with what is pinned and every authority object",
      .min = 0,
      .max = kUnlimited};
}

CommandSpec copy_command() {
  return {
      .name = "copy",
      .section = kSectionStores,
      .summary = "copy snapshots into a second store",
      .description =
          "A store has no redundancy inside; this makes the second one. Copies every snapshot that STORE "
          "does not "
          "have yet, with only the data it lacks. The copies belong to STORE's own domain: they have numbers "
          "of "
          "their own there, and keep label, tags, hold, and where they come from. Every byte is checked as "
          "it is "
          "read and hashed again as it is written. Run again, it copies what is new; after an interruption "
          "it "
          "goes on.\n\n"
          "What cannot be read does not stop it: everything else is copied, what is damaged is listed, and "
          "the "
          "exit status is 5. A snapshot that needs something damaged does not appear in STORE, unless "
          "--salvage "
          "is given. This is also the way out of a store whose log is damaged: whatever verifies is "
          "copied.\n\n"
          "Labels, holds and forgetting are not followed later: the copy is a store of its own.",
      .positionals = {store_positional(), ids_positional()},
      .options =
          {{.name = "to-domain",
            .kind = ValueKind::kText,
            .metavar = "NAME",
            .help = "Domain of STORE to copy into; not needed where there is only one"},
           {.name = "init",
            .help =
                "Make STORE first, as 'asl init' does, if there is nothing. Without it, a missing STORE is "
                "an error: it may be a disk that is not mounted"},
           salvage_option(),
           compress_option(),
           jobs_option()},
      .examples = {{"asl copy --init /mnt/usb/asl-root", "Make a second store on another disk."},
                   {"asl copy /mnt/usb/asl-root", "Bring it up to date."},
                   {"asl copy /mnt/usb/asl-root 7 ann", "Copy two snapshots."}},
      .exit_codes = {3, 4, 5, 6, 7, 9, 10, 130}};
}

CommandSpec import_command() {
  return {.name = "import",
          .section = kSectionStores,
          .summary = "bring snapshots over from another store",
          .description =
              "The reverse of copy: takes every snapshot of STORE that this domain does not have yet, with "
              "only the "
              "data it lacks, under numbers of this domain's own. STORE is only read. Every byte is checked "
              "as it is "
              "read and hashed again as it is written. All else is as for 'asl copy'.",
          .positionals = {store_positional(), ids_positional()},
          .options = {{.name = "from-domain",
                       .kind = ValueKind::kText,
                       .metavar = "NAME",
                       .help = "Domain of STORE to take from; not needed where there is only one"},
                      salvage_option(),
                      compress_option(),
                      pin_option(kPinSealedHelp),
                      jobs_option()},
          .examples = {{"asl import /mnt/usb/asl-root", "Take over what is new there."},
                       {"asl --domain archive import ./asl-root --from-domain local",
                        "Bring snapshots from one domain of a root to another."}},
          .exit_codes = {3, 4, 5, 6, 7, 9, 10, 130}};
}

}  // namespace

std::vector<CommandSpec> store_commands() {
  return {init_command(),        domain_create_command(), domain_list_command(),
          domain_show_command(), copy_command(),          import_command()};
}

}  // namespace asl::cli
