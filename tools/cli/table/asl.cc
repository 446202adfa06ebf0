#include <iterator>

#include "asl_table.h"
#include "program.h"
#include "version.h"

namespace asl::cli {
namespace {

void append(std::vector<CommandSpec>& all, std::vector<CommandSpec> some) {
  all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
}

std::vector<CommandSpec> all_commands() {
  std::vector<CommandSpec> all;
  append(all, saving_commands());
  append(all, looking_commands());
  append(all, giving_back_commands());
  append(all, history_commands());
  append(all, care_commands());
  append(all, store_commands());
  append(all, common_commands(kSectionHelp));
  return all;
}

}  // namespace

OptionSpec pin_option(std::string_view help) {
  return {.name = "pin", .help = help, .config_key = "store.pin"};
}

ProgramSpec asl_table() {
  return {
      .name = "asl",
      .version = kVersion,
      .date = "2025-11-20",
      .summary = "keep data that must never change silently",
      .description =
          "asl keeps directory trees, disk images and single files in a content-addressed store: every byte "
          "is stored "
          "once, survives power loss, and can be proved unchanged years later. Each ingest makes a numbered, "
          "immutable "
          "snapshot; everything comes back from it, to the last time stamp and attribute.\n\n"
          "A snapshot is named by its number, by 'latest', or by its label; 'ID:/path' is a place inside "
          "one. An "
          "artifact is named by its hash ('sha256:' and the value sha256sum prints), shortened to any "
          "unambiguous "
          "prefix of 8 or more digits.\n\n"
          "Ctrl-C stops any command cleanly: what is committed stays, and the next run goes on from there.",
      .sections = {kSectionSaving, kSectionLooking, kSectionGivingBack, kSectionHistory, kSectionCare,
                   kSectionStores, kSectionHelp},
      .options = common_options(),
      .commands = all_commands(),
      .groups = {{"snapshot", "show, label, forget, hold and release snapshots"},
                 {"index", "look after the cache"},
                 {"domain", "make, list and show domains"}},
      .environment = {{"ASL_ROOT", "Directory that holds the store where --root is not given."},
                      {"ASL_IO", "'plain' keeps asl from using io_uring."},
                      {"TERM", "'dumb' turns the progress line off."}},
      .files = {{"./asl-root", "The store, where neither --root nor ASL_ROOT says otherwise."},
                {"/asl-auth-host", "The store on an authority host."},
                {"ROOT/host/config.yaml", "Settings that stand in for options; see CONFIGURATION."}},
      .see_also = {"sha256sum(1)", "rsync(1)", "ddrescue(1)"},
  };
}

}  // namespace asl::cli
