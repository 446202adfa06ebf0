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

CommandSpec copy_command() {
  return {
      .name = "copy",
      .section = kSectionStores,
      .summary = "copy snapshots into a second store",
      .description =
          "A store has no redundancy inside; this makes the second one. Copies every snapshot STORE does "
          "not have yet, with only the bytes it lacks, into a domain of STORE, keeping the origin on record. "
          "Every byte is checked on the way. STORE is made by 'asl init'.",
      .positionals = {{.name = "STORE", .help = "Root of the other store", .kind = ValueKind::kDirectory}},
      .options = {{.name = "to-domain",
                   .kind = ValueKind::kText,
                   .metavar = "NAME",
                   .help = "Domain of STORE to copy into; not needed where there is only one"},
                  {.name = "snapshot",
                   .letter = 's',
                   .kind = ValueKind::kText,
                   .metavar = "ID",
                   .help = "Copy only this snapshot",
                   .repeatable = true},
                  {.name = "salvage",
                   .help = "Go on past damage: copy what is sound, and list what is not (exit 1)"}},
      .examples = {{"asl copy /mnt/usb/asl-root", "Bring the copy up to date."}},
      .exit_codes = {1, 3, 4, 5, 7, 9}};
}

CommandSpec import_command() {
  return {
      .name = "import",
      .section = kSectionStores,
      .summary = "bring snapshots over from another store",
      .description =
          "The reverse of copy: takes every snapshot of STORE this domain does not have yet. Blocks are "
          "hard-linked where both lie on one file system.",
      .positionals = {{.name = "STORE", .help = "Root of the other store", .kind = ValueKind::kDirectory}},
      .options = {{.name = "from-domain",
                   .kind = ValueKind::kText,
                   .metavar = "NAME",
                   .help = "Domain of STORE to take from; not needed where there is only one"},
                  {.name = "snapshot",
                   .letter = 's',
                   .kind = ValueKind::kText,
                   .metavar = "ID",
                   .help = "Take only this snapshot",
                   .repeatable = true}},
      .examples = {{"asl import /mnt/usb/asl-root", "Take over what is new there."}},
      .exit_codes = {1, 3, 4, 5, 7, 9}};
}

}  // namespace

std::vector<CommandSpec> store_commands() {
  return {init_command(),        domain_create_command(), domain_list_command(),
          domain_show_command(), copy_command(),          import_command()};
}

}  // namespace asl::cli
